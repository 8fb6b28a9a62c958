import { interleave } from "../lib/interleave.mjs";
import { pick } from "../lib/matrix.mjs";
import { startPeer, startPeers, stopAll } from "../lib/peerProcess.mjs";
import { median, medianRatio } from "../lib/stats.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";

const at = (file) => new URL(file, import.meta.url);

const peers = {
  "raw undici": at("./undici.mjs"),
  "ours mixed": at("./oursMixed.mjs"),
  "ours factory": at("./oursFactory.mjs"),
  "ours smart": at("./oursSmart.mjs"),
  "5.5 mixed": at("./ref55.mjs"),
  "5.5 smart": at("./ref55Smart.mjs"),
  oRPC: at("./orpc.mjs"),
  tRPC: at("./trpc.mjs"),
};

const rows = [
  {
    key: "parallel",
    label: "32 in flight",
    inFlight: 32,
    calls: 3000,
    bar: "at least 0.95 x calls/s, at most 1.1 x CPU",
  },
  { key: "sequential", label: "one after the other", inFlight: 1, calls: 1000, bar: "at least 0.85 x calls/s" },
];

/** What a small call costs a client; the server answers everybody from memory. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const rounds = quick ? 5 : 15;
  const base = "raw undici";
  const server = await startPeer(at("./server.mjs"));
  const { port } = server.ready;
  const clients = await startPeers(
    Object.fromEntries(
      Object.entries(pick(peers, named)).map(([name, module]) => [name, { module, options: { port } }]),
    ),
  );
  for (const { label, inFlight, calls, bar } of rows.filter(({ key }) => key.includes(text))) {
    printTitle(`Client, ${label}: calls per second, and CPU of the client per call`);
    const sample = (client) => client.call("sample", inFlight, calls);
    await interleave(clients, 3, sample);
    const samples = await interleave(clients, rounds, sample);
    const column = (name, field) => samples.get(name).map((taken) => taken[field]);
    const toBase = (name, field) => (samples.has(base) ? medianRatio(column(name, field), column(base, field)) : NaN);
    printTable(
      ["", "calls/s", "x raw", "CPU us", "x raw"],
      [...samples.keys()].map((name) => [
        name,
        number(median(column(name, "rate"))),
        ratio(toBase(name, "rate")),
        number(median(column(name, "cpuUs"))),
        ratio(toBase(name, "cpuUs")),
      ]),
    );
    console.log(`bar for ours: ${bar}`);
  }
  await stopAll(clients);
  await server.stop();
}
