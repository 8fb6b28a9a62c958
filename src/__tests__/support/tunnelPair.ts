import {
  globals,
  nodeExposure,
  r,
  run,
  type NodeExposureHandlers,
  type RegisterableItems,
  type TunnelRunner,
} from "../../node";

export const token = "s3cret";
export const quiet = { shutdownHooks: false, errorBoundary: false } as const;

/** A tunnel resource with this value. */
export const tunnelOf = (id: string, value: TunnelRunner) =>
  r
    .resource(id)
    .tags([globals.tags.tunnel])
    .init(async () => value)
    .build();

/** Starts the process that is called. */
export async function serve(items: readonly RegisterableItems[], tunnel: TunnelRunner) {
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token }, drain: { quietMs: 0 } } });
  const root = r
    .resource("server")
    .register([...items, tunnelOf("server.tunnel", tunnel), exposure])
    .build();
  const app = await run(root, quiet);
  const handlers = app.getResourceValue(nodeExposure);
  return { app, handlers, baseUrl: baseUrlOf(handlers), [Symbol.asyncDispose]: () => app.dispose() };
}

/** Where an exposure that listens is mounted. */
export function baseUrlOf({ server, basePath }: Pick<NodeExposureHandlers, "server" | "basePath">): string {
  const address = server?.address();
  if (typeof address !== "object" || address === null) throw new Error("The exposure does not listen.");
  return `http://127.0.0.1:${address.port}${basePath}`;
}

/** Starts the process that calls: what it selects runs at the address. */
export async function connect(baseUrl: string, items: readonly RegisterableItems[], selected: TunnelRunner) {
  const tunnel = r
    .resource("client.tunnel")
    .tags([globals.tags.tunnel])
    .dependencies({ createClient: globals.resources.httpMixedClientFactory })
    .init(async (_config, { createClient }): Promise<TunnelRunner> => {
      const client = createClient({ baseUrl, auth: { token } });
      return { mode: "client", run: async (task, input, options) => client.task(task.id, input, options), ...selected };
    })
    .build();
  const root = r
    .resource("client")
    .register([...items, tunnel])
    .build();
  return run(root, quiet);
}
