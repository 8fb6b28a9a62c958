import { globals, r, run } from "../../../node";
import { natsConnection, natsExposure } from "../../../node/nats";

/** Serves `echo` from this process, with room for large inputs. */
export function startEcho(url: string) {
  const echo = r
    .task("echo")
    .run(async (input: unknown) => input)
    .build();
  const tunnel = r
    .resource("echo.tunnel")
    .tags([globals.tags.tunnel])
    .init(async () => ({ mode: "server" as const, tasks: [echo.id] }))
    .build();
  const exposure = natsExposure.with({
    namespace: "acme",
    group: "echo",
    auth: { token: "s3cret" },
    limits: { json: { maxSize: 8_000_000 } },
  });
  return run(
    r
      .resource("app")
      .register([echo, tunnel, natsConnection.with({ servers: url }), exposure])
      .build(),
    { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } },
  );
}
