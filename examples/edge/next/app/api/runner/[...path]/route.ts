import { after } from "next/server";
import { fetchExposure, r, run } from "@bluelibs/runner";

// The edge runtime of Next is not supported.
export const runtime = "nodejs";
export const dynamic = "force-dynamic";

const add = r
  .task("shop.tasks.add")
  .run(async (input: { a: number; b: number }) => input.a + input.b)
  .build();

const app = r
  .resource("shop")
  .register([
    add,
    r.tunnel.server("shop.server").tasks([add]).build(),
    fetchExposure.with({ http: { basePath: "/api/runner", auth: { token: "dev-secret" } } }),
  ])
  .build();

let starting: ReturnType<typeof start> | undefined;
const start = async () => (await run(app, { shutdownHooks: false })).getResourceValue(fetchExposure);

async function serve(request: Request): Promise<Response> {
  const edge = await (starting ??= start());
  return edge.fetch(request, { waitUntil: (work) => after(() => work) });
}

export { serve as GET, serve as OPTIONS, serve as POST };
