// Hears so many durable events of a stream, in a process of its own: raw, or by natsEvents. Tells what that took, but for
// the start of the process and its first events.
import { cpuMs } from "../lib/cpu.mjs";

const [, , mode, url, count] = process.argv;
const measured = Number(count) - 4000;
let left = Number(count);
let began;
let done;
const heardAll = new Promise((resolve) => (done = resolve));
const hear = () => {
  left -= 1;
  if (left === measured) began = { cpuMs: cpuMs(), at: performance.now() };
  if (left === 0) done();
};

const load = (entry) => import(new URL(entry, process.env.RUNNER_DIST).href);

/** @returns what ends it */
async function startRaw() {
  const { connect } = await import("@nats-io/transport-node");
  const { jetstream, jetstreamManager } = await import("@nats-io/jetstream");
  const nc = await connect({ servers: url });
  const settings = { durable_name: "heard", ack_policy: "explicit", max_ack_pending: 64 };
  await (await jetstreamManager(nc)).consumers.add("RAW", settings);
  const consumer = await jetstream(nc).consumers.get("RAW", "heard");
  await consumer.consume({
    max_messages: 64,
    callback(message) {
      message.json();
      message.ack();
      hear();
    },
  });
  return () => nc.close();
}

/** @returns what ends it */
async function startOurs() {
  const [{ r, run }, { natsConnection, natsEvents }] = await Promise.all([
    load("index.js"),
    load("node/nats/index.js"),
  ]);
  const event = r.event("bench.counted").build();
  const hook = r
    .hook("bench.hear")
    .on(event)
    .run(async () => hear())
    .build();
  const events = natsEvents.with({ namespace: "bench", service: "bench", events: [event] });
  const root = r
    .resource("bench.hearer")
    .register([event, hook, natsConnection.with({ servers: url }), events])
    .build();
  const { dispose } = await run(root, { logs: { printThreshold: null } });
  return dispose;
}

const end = await (mode === "raw" ? startRaw() : startOurs());
await heardAll;
const seconds = (performance.now() - began.at) / 1000;
process.send({ rate: measured / seconds, cpuUs: ((cpuMs() - began.cpuMs) * 1000) / measured });
await end();
process.disconnect();
