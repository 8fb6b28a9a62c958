import { fetchExposure, run } from "@bluelibs/runner";
import { shop } from "../shop";

interface Env {
  readonly TOKEN?: string;
}

/** Started with the first request, which brings the environment; those that come meanwhile wait for it. */
let starting: ReturnType<typeof start> | undefined;
const start = async ({ TOKEN = "dev-secret" }: Env) =>
  (await run(shop.with({ token: TOKEN }))).getResourceValue(fetchExposure);

export default {
  async fetch(request: Request, env: Env, context: { waitUntil(work: Promise<unknown>): void }): Promise<Response> {
    const edge = await (starting ??= start(env));
    return edge.fetch(request, {
      remoteAddress: request.headers.get("cf-connecting-ip") ?? undefined,
      waitUntil: (work) => context.waitUntil(work),
      platform: { env },
    });
  },
};
