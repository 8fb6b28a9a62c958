import { interleave } from "../lib/interleave.mjs";
import { pick } from "../lib/matrix.mjs";
import { startPeer } from "../lib/peerProcess.mjs";
import { median } from "../lib/stats.mjs";
import { number, printTable, printTitle } from "../lib/table.mjs";

const peers = {
  ours: new URL("./ours.mjs", import.meta.url),
  5.5: new URL("./ref55.mjs", import.meta.url),
  awilix: new URL("./awilix.mjs", import.meta.url),
};

const rows = [
  { label: "10 tasks", shape: "tasks", size: 10 },
  { label: "100 tasks", shape: "tasks", size: 100 },
  { label: "1,000 tasks", shape: "tasks", size: 1000, bar: 16 },
  { label: "5,000 tasks", shape: "tasks", size: 5000, bar: 70 },
  { label: "10,000 tasks", shape: "tasks", size: 10_000 },
  { label: "chain of 1,000 resources", shape: "chain", size: 1000, bar: 19 },
  { label: "chain of 5,000 resources", shape: "chain", size: 5000 },
  { label: "fan of 1,000 resources", shape: "fan", size: 1000, bar: 12 },
];

/** The entries of our package, and what the peers load, each imported by a process that has imported nothing else. */
const imports = [
  { label: "ours .", entry: "ours", options: { entry: "late.js" }, bar: 15 },
  { label: "ours ./node", entry: "ours", options: { entry: "node/index.js" }, bar: 30 },
  { label: "ours . (require)", entry: "oursRequired", options: { entry: "index.cjs" } },
  { label: "5.5 . (require)", entry: "ref55", options: { entry: "" } },
  { label: "5.5 ./node (require)", entry: "ref55", options: { entry: "/node" } },
  { label: "awilix", entry: "package", options: { entry: "awilix" } },
  { label: "effect", entry: "package", options: { entry: "effect" } },
  { label: "fastify", entry: "package", options: { entry: "fastify" } },
];

/** What `start` of a module gives in a new process; `undefined` when it fails. */
async function once(module, options) {
  try {
    const peer = await startPeer(module, options);
    await peer.stop();
    return peer.ready;
  } catch (error) {
    if (process.env.DEBUG !== undefined) console.error(error.message);
    return undefined;
  }
}

const of = (samples, field) => median(samples.map((sample) => sample?.[field] ?? NaN));

/** What it takes to define applications, to start them, and to import what they are made with. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const rounds = quick ? 3 : 9;
  const compared = pick(peers, named);

  printTitle("Boot: CPU milliseconds in a new process, to define the application + to start it");
  const lines = [];
  for (const { label, shape, size, bar } of rows.filter((row) => row.label.includes(text))) {
    const samples = await interleave(new Map(Object.entries(compared)), rounds, (module) =>
      once(module, { shape, size }),
    );
    lines.push([
      label,
      ...[...samples.values()].flatMap((taken) => [number(of(taken, "define")), number(of(taken, "run"))]),
      bar ?? "",
    ]);
  }
  printTable(["", ...Object.keys(compared).flatMap((name) => [`${name}: define`, "start"]), "bar"], lines);

  const imported = imports.filter((row) => row.label.includes(text));
  if (imported.length === 0) return;
  printTitle("Import: CPU milliseconds in a new process");
  const importer = new URL("./importing.mjs", import.meta.url);
  const importSamples = await interleave(
    new Map(imported.map((row) => [row.label, row])),
    rounds,
    ({ entry, options }) => once(importer, { kind: entry, ...options }),
  );
  printTable(
    ["", "CPU ms", "bar"],
    [...importSamples].map(([label, taken]) => [
      label,
      number(of(taken, "cpuMs")),
      imported.find((row) => row.label === label).bar ?? "",
    ]),
  );
}
