// Moleculer over NATS, in a process of its own: a node that answers, or one that calls and is measured.
import { ServiceBroker } from "moleculer";
import { cpuMs } from "../lib/cpu.mjs";

const [, , role, url] = process.argv;
const broker = new ServiceBroker({
  nodeID: role,
  namespace: "bench",
  transporter: { type: "NATS", options: { url } },
  logger: false,
  metrics: false,
  tracing: false,
});
if (role === "worker") {
  broker.createService({
    name: "bench",
    actions: { add: ({ params }) => params.n + 1 },
  });
}
await broker.start();

const functions = {
  async ready() {
    if (role === "caller") await broker.waitForServices("bench");
  },
  usage: () => cpuMs(),
  /** Calls so often, some at a time. @returns how long that took, in seconds */
  async call({ count, inFlight }) {
    const startedAt = performance.now();
    let next = 0;
    const caller = async () => {
      while (next < count) {
        const n = next++;
        if ((await broker.call("bench.add", { n })) !== n + 1) throw new Error("A wrong answer.");
      }
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    return (performance.now() - startedAt) / 1000;
  },
};
process.on("message", async ({ name, argument }) => process.send({ value: await functions[name](argument) }));
process.on("disconnect", () => process.exit());
