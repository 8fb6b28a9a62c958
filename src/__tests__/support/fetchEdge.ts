import { fetchExposure, globals, r, run, type ILog, type RegisterableItems } from "../../index";
import type { FetchExposureHandlers, FetchExposureHttpConfig } from "../../index";
import { token, type TestExposure } from "./exposure";

type AnyDefinition = RegisterableItems & { readonly kind: string; readonly id: string };

/** A fetch edge of this process, and ways to talk to it. */
export interface TestFetchEdge extends Pick<TestExposure, "app" | "logs" | "post">, AsyncDisposable {
  readonly handlers: FetchExposureHandlers;
}

/**
 * Runs definitions behind a fetch edge without a socket, with a token and a tunnel that lists all tasks and events among
 * them.
 */
export async function startFetchEdge(
  definitions: readonly AnyDefinition[],
  http: FetchExposureHttpConfig = {},
  extra: readonly RegisterableItems[] = [],
): Promise<TestFetchEdge> {
  const idsOf = (kind: string) => definitions.filter((each) => each.kind === kind).map(({ id }) => id);
  const server = r.tunnel.server("test.tunnel").tasks(idsOf("task")).events(idsOf("event")).build();
  const logs: ILog[] = [];
  const listener = r
    .resource("test.logs")
    .dependencies({ logger: globals.resources.logger })
    .init(async (_config: void, { logger }) => logger.onLog((log: ILog) => logs.push(log)))
    .build();
  const exposure = fetchExposure.with({ http: { auth: { token }, ...http } });
  const root = r
    .resource("test")
    .register([listener, ...definitions, server, ...extra, exposure])
    .build();
  const app = await run(root, { shutdownHooks: false, errorBoundary: false, onUnhandledError: () => {} });
  const handlers = app.getResourceValue(fetchExposure);
  return {
    app,
    handlers,
    logs,
    post: (path, body = "{}", headers = {}) =>
      handlers.fetch(
        new Request(`http://edge.test${path}`, {
          method: "POST",
          headers: {
            "x-runner-token": token,
            ...(typeof body === "string" && { "content-type": "application/json" }),
            ...headers,
          },
          body: typeof body === "string" ? body : new Uint8Array(body),
        }),
      ),
    [Symbol.asyncDispose]: () => app.dispose(),
  };
}
