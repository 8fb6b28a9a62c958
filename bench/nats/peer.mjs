// Answers over NATS, in a process of its own: raw, or by natsExposure.
const [, , mode, url] = process.argv;
if (mode === "raw") {
  const { connect } = await import("@nats-io/transport-node");
  const nc = await connect({ servers: url });
  nc.subscribe("raw.add", {
    queue: "raw",
    callback: (_error, message) => {
      const { n } = message.json();
      message.respond(JSON.stringify({ ok: true, result: n + 1 }));
    },
  });
  await nc.flush();
} else {
  const { r, run } = await import(new URL("index.js", process.env.RUNNER_DIST).href);
  const { natsConnection, natsExposure } = await import(new URL("node/nats/index.js", process.env.RUNNER_DIST).href);
  const add = r
    .task("bench.add")
    .run(async ({ n }) => n + 1)
    .build();
  const tunnel = r.tunnel.server("bench.tunnel").tasks([add]).build();
  const exposure = natsExposure.with({ namespace: "bench", group: "bench", auth: { token: "s3cret" } });
  const root = r
    .resource("bench")
    .register([add, tunnel, natsConnection.with({ servers: url }), exposure])
    .build();
  await run(root, { logs: { printThreshold: null } });
}
process.send("ready");
process.on("message", () => process.send(process.cpuUsage()));
process.on("disconnect", () => process.exit());
