import { Readable } from "node:stream";
import { globals, r, run } from "../../../node";
import { natsConnection, natsExposure } from "../../../node/nats";

/** Serves `echo` from this process, with room for large inputs, and `bytes`, which replies with a stream of them. */
export function startEcho(url: string) {
  const echo = r
    .task("echo")
    .run(async (input: unknown) => input)
    .build();
  const bytes = r
    .task("bytes")
    .run(async () => Readable.from(["a"]))
    .build();
  const tunnel = r
    .resource("echo.tunnel")
    .tags([globals.tags.tunnel])
    .init(async () => ({ mode: "server" as const, tasks: [echo.id, bytes.id] }))
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
      .register([echo, bytes, tunnel, natsConnection.with({ servers: url }), exposure])
      .build(),
    { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } },
  );
}
