import { interleave } from "../lib/interleave.mjs";
import { pick } from "../lib/matrix.mjs";
import { startPeers, stopAll } from "../lib/peerProcess.mjs";
import { median, medianRatio } from "../lib/stats.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";

const at = (file) => new URL(file, import.meta.url);

const peers = {
  "raw node:http": { server: at("./rawServer.mjs"), client: at("./rawClient.mjs") },
  ours: { server: at("./oursServer.mjs"), client: at("./oursClient.mjs") },
  5.5: { server: at("./ref55Server.mjs"), client: at("./ref55Client.mjs") },
};

const rows = [
  { key: "up", label: "up", bar: 0.95 },
  { key: "down", label: "down", bar: 0.95 },
  { key: "echo", label: "up and back", bar: 0.9 },
];

const MB = 1024 * 1024;

/** Large bodies between two processes: nothing keeps more of them than it passes on. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const rounds = quick ? 3 : 9;
  const megabytes = quick ? 100 : 500;
  const base = "raw node:http";
  const compared = pick(peers, named);
  const servers = await startPeers(
    Object.fromEntries(Object.entries(compared).map(([name, { server }]) => [name, { module: server }])),
  );
  const clients = await startPeers(
    Object.fromEntries(
      [...servers].map(([name, { ready }]) => [name, { module: compared[name].client, options: { port: ready.port } }]),
    ),
  );

  for (const { key, label, bar } of rows.filter((row) => row.key.includes(text))) {
    printTitle(`Stream, ${megabytes} MB ${label}`);
    const sample = async (client, name) => {
      const before = await servers.get(name).call("usage");
      const { seconds, cpuMs, peakMb } = await client.call("sample", key, megabytes * MB);
      const after = await servers.get(name).call("usage");
      return {
        rate: megabytes / seconds,
        serverMs: after.cpuMs - before.cpuMs,
        clientMs: cpuMs,
        bothMs: after.cpuMs - before.cpuMs + cpuMs,
        serverMb: after.peakMb,
        clientMb: peakMb,
      };
    };
    await interleave(clients, 1, sample);
    const samples = await interleave(clients, rounds, sample);
    const column = (name, field) => samples.get(name).map((taken) => taken[field]);
    const toBase = (name, field) => (samples.has(base) ? medianRatio(column(name, field), column(base, field)) : NaN);
    printTable(
      ["", "MB/s", "x raw", "server CPU ms", "client CPU ms", "both x raw", "peak MB: server", "client"],
      [...samples.keys()].map((name) => [
        name,
        number(median(column(name, "rate"))),
        ratio(toBase(name, "rate")),
        number(median(column(name, "serverMs"))),
        number(median(column(name, "clientMs"))),
        ratio(toBase(name, "bothMs")),
        number(column(name, "serverMb").at(-1)),
        number(column(name, "clientMb").at(-1)),
      ]),
    );
    console.log(`bar for ours: at least ${ratio(bar)} x MB/s`);
  }
  await stopAll(clients);
  await stopAll(servers);
}
