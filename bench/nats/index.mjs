// Calls and durable events over a real nats-server, beside the library alone. Bars: calls 0.8, events 0.85.
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "../lib/stats.mjs";

const inFlight = 64;

export async function bench({ quick }) {
  const dir = await mkdtemp(join(tmpdir(), "bench-nats-"));
  const server = spawn("nats-server", ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", dir, "-js", "-sd", dir], {
    stdio: "ignore",
  });
  try {
    const url = `nats://127.0.0.1:${await portOf(dir)}`;
    await compare(url, quick ? 3 : 7, () => cpuOf(server.pid));
    await compareHearing(url);
  } finally {
    server.kill("SIGKILL");
    await once(server, "close");
    await rm(dir, { recursive: true, force: true });
  }
}

async function portOf(dir) {
  for (;;) {
    const name = (await readdir(dir)).find((each) => each.endsWith(".ports"));
    const text = name === undefined ? "" : await readFile(join(dir, name), "utf8");
    if (text.endsWith("}")) return new URL(JSON.parse(text).nats[0]).port;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What the broker has spent, in us, where the system tells (Linux). */
async function cpuOf(pid) {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // In ticks of 10 ms; the name before them may hold spaces.
  const [user = NaN, system = NaN] = text
    .replace(/^.*\) /, "")
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return (user + system) * 10_000;
}

/** Events that are in the streams already, heard by one process. */
async function compareHearing(url) {
  const count = 20_000;
  for (const mode of ["raw", "ours"]) {
    const child = fork(fileURLToPath(new URL("hearer.mjs", import.meta.url)), [mode, url, String(count)]);
    const ended = once(child, "exit");
    const [{ rate, cpuUs }] = await once(child, "message");
    await ended;
    console.log(`durable events heard, ${mode}: ${Math.round(rate)}/s at ${cpuUs.toFixed(1)} us of CPU`);
  }
}

async function compare(url, rounds, brokerCpu) {
  const { connect } = await import("@nats-io/transport-node");
  const { jetstream, jetstreamManager } = await import("@nats-io/jetstream");
  const { r, run } = await import(new URL("index.js", process.env.RUNNER_DIST).href);
  const { natsClient, natsConnection } = await import(new URL("node/nats/index.js", process.env.RUNNER_DIST).href);
  const peers = await Promise.all(["raw", "ours"].map((mode) => startPeer(mode, url)));
  const nc = await connect({ servers: url, noAsyncTraces: true });
  await (await jetstreamManager(nc)).streams.add({ name: "RAW", subjects: ["raw.e.>"] });
  const js = jetstream(nc);
  const moleculer = await startMoleculer(url);
  const { add, emit, app } = await startCaller({ r, run, natsClient, natsConnection, url });
  const rows = {
    calls: [
      async (n) => (await nc.request("raw.add", JSON.stringify({ n }), { timeout: 10_000 })).json().result,
      (n) => add({ n }),
    ],
    "durable events": [(n) => js.publish("raw.e.a", JSON.stringify({ payload: { n } })), (n) => emit({ n })],
  };
  for (const [name, sides] of Object.entries(rows)) {
    const count = name === "calls" ? 20_000 : 5_000;
    const ratios = [];
    for (let round = 0; round <= rounds; round++) {
      const [raw, ours] = [
        await measure(sides[0], count, peers[0], brokerCpu),
        await measure(sides[1], count, peers[1], brokerCpu),
      ];
      const theirs = name === "calls" ? await moleculer.measure(count, brokerCpu) : undefined;
      // The first one warms up.
      if (round > 0) ratios.push({ rate: ours.rate / raw.rate, cpu: raw.cpu / ours.cpu, raw, ours, theirs });
    }
    const middle = (key) => median(ratios.map((each) => each[key]));
    const { raw, ours, theirs } = ratios.at(-1);
    const shown = ({ rate, cpu, broker }) =>
      `${Math.round(rate)}/s at ${(cpu / count).toFixed(1)} us, broker ${(broker / count).toFixed(1)} us`;
    console.log(
      `${name}, ${inFlight} in flight, CPU of caller and worker: raw ${shown(raw)}; ours ${shown(ours)}; ` +
        `ratio ${middle("rate").toFixed(2)} by rate, ${middle("cpu").toFixed(2)} by CPU`,
    );
    if (theirs === undefined) continue;
    const ahead = (key, of) => median(ratios.map((each) => of(each.ours[key], each.theirs[key])));
    const rate = ahead("rate", (own, other) => own / other);
    const cpu = ahead("cpu", (own, other) => other / own);
    console.log(
      `the same with Moleculer ${shown(theirs)}; ours is ${rate.toFixed(2)} x by rate, ${cpu.toFixed(2)} x by CPU`,
    );
  }
  await moleculer.stop();
  await app.dispose();
  await nc.close();
  for (const { child } of peers) child.disconnect();
}

/** Two nodes of Moleculer, one of which calls the other. */
async function startMoleculer(url) {
  const file = fileURLToPath(new URL("moleculer.mjs", import.meta.url));
  const nodes = ["worker", "caller"].map((role) => fork(file, [role, url]));
  const ask = async (node, name, argument) => {
    const answered = once(node, "message");
    node.send({ name, argument });
    const [{ value }] = await answered;
    return value;
  };
  for (const node of nodes) await ask(node, "ready");
  const usage = async () => (await Promise.all(nodes.map((node) => ask(node, "usage")))).reduce((a, b) => a + b) * 1000;
  return {
    async measure(count, brokerCpu) {
      const [before, brokerBefore] = [await usage(), await brokerCpu()];
      const seconds = await ask(nodes[1], "call", { count, inFlight });
      return { rate: count / seconds, cpu: (await usage()) - before, broker: (await brokerCpu()) - brokerBefore };
    },
    async stop() {
      for (const node of nodes) node.disconnect();
      await Promise.all(nodes.map((node) => node.exitCode ?? once(node, "exit")));
    },
  };
}

async function startCaller({ r, run, natsClient, natsConnection, url }) {
  const addTask = r.task.phantom("bench.add").build();
  const event = r.event("bench.counted").build();
  let emit;
  const calls = r.tunnel
    .client("bench.calls")
    .tasks([addTask])
    .connect(natsClient({ namespace: "bench", auth: { token: "s3cret" } }))
    .build();
  const events = r.tunnel
    .client("bench.events")
    .events([event], { eventDeliveryMode: "remote-only" })
    .connect(natsClient({ namespace: "bench", events: "durable" }))
    .build();
  const root = r
    .resource("bench.caller")
    .register([addTask, event, calls, events, natsConnection.with({ servers: url })])
    .dependencies({ event, addTask })
    .init(async (_config, deps) => ((emit = deps.event), deps.addTask))
    .build();
  const app = await run(root, { logs: { printThreshold: null } });
  return { app, add: app.value, emit: (payload) => emit(payload) };
}

async function startPeer(mode, url) {
  const child = fork(fileURLToPath(new URL("peer.mjs", import.meta.url)), [mode, url]);
  await once(child, "message");
  return {
    child,
    async cpu() {
      child.send("cpu");
      const [{ user, system }] = await once(child, "message");
      return user + system;
    },
  };
}

async function measure(call, count, peer, brokerCpu) {
  const brokerBefore = await brokerCpu();
  const before = process.cpuUsage();
  const peerBefore = await peer.cpu();
  const startedAt = performance.now();
  let next = 0;
  const caller = async () => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(before);
  const cpu = user + system + (await peer.cpu()) - peerBefore;
  return { rate: count / seconds, cpu, broker: (await brokerCpu()) - brokerBefore };
}
