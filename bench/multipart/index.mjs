import { openLoad } from "../lib/httpLoad.mjs";
import { interleave } from "../lib/interleave.mjs";
import { pick } from "../lib/matrix.mjs";
import { startPeers, stopAll } from "../lib/peerProcess.mjs";
import { median, medianRatio } from "../lib/stats.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";
import { formRequest } from "./form.mjs";

const at = (file) => new URL(file, import.meta.url);

const peers = {
  "raw busboy": { module: at("./busboy.mjs") },
  ours: { module: at("./ours.mjs") },
  5.5: { module: at("./ref55.mjs") },
  "@fastify/multipart": { module: at("./fastify.mjs") },
};

const MB = 1024 * 1024;
const rows = [
  { key: "large", label: "one file of 100 MB", files: 1, bytes: 100 * MB, times: 1, connections: 1, bar: 1.1 },
  { key: "many", label: "1,000 uploads of 10 KB", files: 1, bytes: 10 * 1024, times: 1000, connections: 8, bar: 1.6 },
  {
    key: "parts",
    label: "one upload of 1,000 files of 10 KB",
    files: 1000,
    bytes: 10 * 1024,
    times: 1,
    connections: 1,
    bar: 1.3,
  },
];

/** What uploads cost a server that reads all of them and keeps nothing. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const rounds = quick ? 5 : 11;
  for (const { label, files, bytes, times, connections, bar } of rows.filter((row) => row.key.includes(text))) {
    printTitle(`Multipart, ${label}: CPU of the server`);
    const request = formRequest(files, bytes);
    const servers = await startPeers(pick(peers, named));
    const loads = new Map();
    for (const [name, { ready }] of servers) {
      loads.set(name, await openLoad(ready.port, connections));
      const reply = await loads.get(name).send(request, 1);
      if (!reply.includes(`${files * bytes}`)) throw new Error(`${name} answered ${reply.slice(0, 500)}`);
    }

    const sample = async (server, name) => {
      const before = await server.call("usage");
      await loads.get(name).send(request, times);
      const after = await server.call("usage");
      return { cpuMs: after.cpuMs - before.cpuMs, peakMb: after.peakMb };
    };
    await interleave(servers, 2, sample);
    const samples = await interleave(servers, rounds, sample);
    for (const load of loads.values()) load.close();
    await stopAll(servers);

    const column = (name, field) => samples.get(name).map((taken) => taken[field]);
    printTable(
      ["", "CPU ms", "x raw", "peak MB"],
      [...samples.keys()].map((name) => [
        name,
        number(median(column(name, "cpuMs"))),
        samples.has("raw busboy") ? ratio(medianRatio(column(name, "cpuMs"), column("raw busboy", "cpuMs"))) : "-",
        number(column(name, "peakMb").at(-1)),
      ]),
    );
    console.log(`bar for ours: ${ratio(bar)} x raw`);
  }
}
