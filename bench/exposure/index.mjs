import { openLoad, requestBytes } from "../lib/httpLoad.mjs";
import { interleave } from "../lib/interleave.mjs";
import { pick } from "../lib/matrix.mjs";
import { startPeers, stopAll } from "../lib/peerProcess.mjs";
import { median, medianRatio } from "../lib/stats.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";
import { lastDate } from "./payload.mjs";

const at = (file) => new URL(file, import.meta.url);

const peers = {
  raw: { module: at("./raw.mjs") },
  "raw by hand": { module: at("./rawByHand.mjs") },
  ours: { module: at("./ours.mjs"), options: { tasks: 2 } },
  "ours, 5000 tasks": { module: at("./ours.mjs"), options: { tasks: 5000 } },
  "ours by named tokens": { module: at("./ours.mjs"), options: { tasks: 2, auth: "tokens" } },
  "ours by validator": { module: at("./ours.mjs"), options: { tasks: 2, auth: "validator" } },
  "ours with metrics": { module: at("./ours.mjs"), options: { tasks: 2, metrics: "/metrics" } },
  5.5: { module: at("./ref55.mjs"), options: { tasks: 2 } },
  fastify: { module: at("./fastify.mjs") },
  oRPC: { module: at("./orpc.mjs") },
  tRPC: { module: at("./trpc.mjs") },
};

const rows = [
  { key: "add", label: "add: 23 bytes", bar: 1.15, perRound: 4000, isReply: (reply) => /\b3\b/.test(reply) },
  {
    key: "dates",
    label: "10 KB with 20 Dates, there and back",
    bar: 1.15,
    perRound: 800,
    isReply: (reply) => reply.includes(lastDate),
  },
];

const connections = 32;

/** What a small HTTP call costs a server. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const rounds = quick ? 5 : 15;
  const servers = await startPeers(pick(peers, named));
  for (const { key, label, bar, perRound, isReply } of rows.filter((row) => row.key.includes(text))) {
    printTitle(`Exposure, ${label}: CPU of the server per request, ${connections} connections`);
    const loads = new Map();
    for (const [name, { ready }] of servers) {
      loads.set(name, await openLoad(ready.port, connections));
      const reply = await loads.get(name).send(requestBytes(ready.requests[key]), connections);
      if (!/^HTTP\/1\.1 2/.test(reply) || !isReply(reply)) throw new Error(`${name} answered ${reply.slice(0, 500)}`);
    }

    const sample = (times) => async (server, name) => {
      const before = await server.call("usage");
      const started = performance.now();
      await loads.get(name).send(requestBytes(server.ready.requests[key]), times);
      const seconds = (performance.now() - started) / 1000;
      const after = await server.call("usage");
      return { cpuUs: ((after.cpuMs - before.cpuMs) * 1000) / times, rate: times / seconds, peakMb: after.peakMb };
    };
    await interleave(servers, 3, sample(perRound * 2));
    const samples = await interleave(servers, rounds, sample(perRound));
    for (const load of loads.values()) load.close();

    const column = (name, field) => samples.get(name).map((taken) => taken[field]);
    printTable(
      ["", "CPU us", "x raw", "x by hand", "requests/s", "peak MB"],
      [...samples.keys()].map((name) => [
        name,
        number(median(column(name, "cpuUs"))),
        ...["raw", "raw by hand"].map((base) =>
          samples.has(base) ? ratio(medianRatio(column(name, "cpuUs"), column(base, "cpuUs"))) : "-",
        ),
        number(median(column(name, "rate"))),
        number(column(name, "peakMb").at(-1)),
      ]),
    );
    console.log(`bar for ours: ${ratio(bar)} x raw by hand`);
  }
  await stopAll(servers);
}
