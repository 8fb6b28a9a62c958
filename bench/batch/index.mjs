import { interleave } from "../lib/interleave.mjs";
import { pick } from "../lib/matrix.mjs";
import { startPeer, stopAll } from "../lib/peerProcess.mjs";
import { median, medianRatio } from "../lib/stats.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";

const at = (file) => new URL(file, import.meta.url);

const peers = {
  unbatched: { client: at("./oursClient.mjs"), server: at("./oursServer.mjs") },
  // More calls: a request brings many of them, and what serves requests is compiled after so and so many requests.
  batched: { client: at("./oursClient.mjs"), server: at("./oursServer.mjs"), options: { batch: true }, times: 8 },
  "raw undici": { client: at("./undiciClient.mjs"), server: at("./oursServer.mjs") },
  "tRPC batch": { client: at("./trpcClient.mjs"), server: at("./trpcServer.mjs") },
};

const rows = [
  { key: "parallel", label: "64 in flight", inFlight: 64, calls: 12_800, bar: "batched at least 4 x unbatched" },
  { key: "wide", label: "256 in flight", inFlight: 256, calls: 12_800, bar: "none; requests of 64 calls each" },
  {
    key: "sequential",
    label: "one after the other",
    inFlight: 1,
    calls: 1500,
    bar: "batched at least 0.95 x unbatched",
  },
];

/** Small calls of the Mixed client, batched and not: each client with a server of its own. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const rounds = quick ? 5 : 15;
  const base = "unbatched";
  const pairs = new Map();
  for (const [name, { client, server, options, times = 1 }] of Object.entries(pick(peers, named))) {
    const served = await startPeer(server);
    const { port } = served.ready;
    pairs.set(name, { server: served, client: await startPeer(client, { port, ...options }), times });
  }
  for (const { label, inFlight, calls: few, bar } of rows.filter(({ key }) => key.includes(text))) {
    printTitle(`Batches, ${label}: calls per second, and CPU of both sides per call`);
    const sample = async ({ client, server, times }) => {
      const calls = inFlight === 1 ? few : few * times;
      const before = await server.call("cpuMs");
      const { rate, cpuUs } = await client.call("sample", inFlight, calls);
      return { rate, cpuUs, serverUs: (((await server.call("cpuMs")) - before) * 1000) / calls };
    };
    await interleave(pairs, 3, sample);
    const samples = await interleave(pairs, rounds, sample);
    const column = (name, field) => samples.get(name).map((taken) => taken[field]);
    const toBase = (name, field) => (samples.has(base) ? medianRatio(column(name, field), column(base, field)) : NaN);
    printTable(
      ["", "calls/s", "x unbatched", "client us", "server us"],
      [...samples.keys()].map((name) => [
        name,
        number(median(column(name, "rate"))),
        ratio(toBase(name, "rate")),
        number(median(column(name, "cpuUs"))),
        number(median(column(name, "serverUs"))),
      ]),
    );
    console.log(`bar: ${bar}`);
  }
  for (const each of ["client", "server"]) await stopAll(new Map([...pairs].map(([name, pair]) => [name, pair[each]])));
}
