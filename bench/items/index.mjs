import { interleave } from "../lib/interleave.mjs";
import { pick } from "../lib/matrix.mjs";
import { startPeers, stopAll } from "../lib/peerProcess.mjs";
import { median, medianRatio } from "../lib/stats.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";

const at = (file) => new URL(file, import.meta.url);

const peers = {
  "raw NDJSON": { server: at("./rawServer.mjs"), client: at("./rawClient.mjs"), takesItems: true },
  ours: { server: at("./oursServer.mjs"), client: at("./oursClient.mjs"), takesItems: true },
  "ours, fetch": { server: at("./oursServer.mjs"), client: at("./oursClient.mjs"), options: { client: "fetch" } },
  oRPC: { server: at("./orpcServer.mjs"), client: at("./orpcClient.mjs") },
  tRPC: { server: at("./trpcServer.mjs"), client: at("./trpcClient.mjs") },
  connect: { server: at("./connectServer.mjs"), client: at("./connectClient.mjs") },
};

const rows = [
  {
    key: "small",
    label: "50 bytes",
    count: 20_000,
    bar: "ours at most 2.5 us of wall time, and ahead of oRPC and tRPC",
  },
  { key: "large", label: "1 KB", count: 5000, bar: "ours at most 11 us of wall time, and ahead of oRPC and tRPC" },
  { key: "sent small", label: "50 bytes, sent by the client", count: 20_000, bar: "none" },
  { key: "sent large", label: "1 KB, sent by the client", count: 5000, bar: "none" },
];

/** Streams of values from one process to another, read item by item; both ways, of the peers that take items. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const rounds = quick ? 5 : 15;
  const base = "raw NDJSON";
  const compared = pick(peers, named);
  const servers = await startPeers(
    Object.fromEntries(Object.entries(compared).map(([name, { server }]) => [name, { module: server }])),
  );
  const clients = await startPeers(
    Object.fromEntries(
      [...servers].map(([name, { ready }]) => {
        const { client, options } = compared[name];
        return [name, { module: client, options: { port: ready.port, ...options } }];
      }),
    ),
  );

  for (const { key, label, count, bar } of rows.filter((row) => row.key.includes(text))) {
    const isSent = key.startsWith("sent ");
    const kind = key.replace("sent ", "");
    const measured = isSent ? new Map([...clients].filter(([name]) => compared[name].takesItems)) : clients;
    printTitle(`Streams of values, ${label} an item: wall time, and CPU of both sides per item`);
    const sample = async (client, name) => {
      const server = servers.get(name);
      const before = await server.call("cpuMs");
      const { wallUs, cpuUs } = await client.call(isSent ? "sampleSent" : "sample", kind, count);
      return { wallUs, cpuUs, serverUs: (((await server.call("cpuMs")) - before) * 1000) / count };
    };
    await interleave(measured, 2, sample);
    const samples = await interleave(measured, rounds, sample);
    const column = (name, field) => samples.get(name).map((taken) => taken[field]);
    const toBase = (name) => (samples.has(base) ? medianRatio(column(name, "wallUs"), column(base, "wallUs")) : NaN);
    printTable(
      ["", "us per item", "x raw", "client us", "server us"],
      [...samples.keys()].map((name) => [
        name,
        number(median(column(name, "wallUs"))),
        ratio(toBase(name)),
        number(median(column(name, "cpuUs"))),
        number(median(column(name, "serverUs"))),
      ]),
    );
    console.log(`bar: ${bar}`);
  }
  await stopAll(clients);
  await stopAll(servers);
}
