import { measureMatrix, pick } from "../lib/matrix.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";

const peers = {
  JSON: new URL("./json.mjs", import.meta.url),
  v8: new URL("./v8.mjs", import.meta.url),
  ours: new URL("./ours.mjs", import.meta.url),
  5.5: new URL("./ref55.mjs", import.meta.url),
  devalue: new URL("./devalue.mjs", import.meta.url),
  superjson: new URL("./superjson.mjs", import.meta.url),
  oRPC: new URL("./orpc.mjs", import.meta.url),
  msgpackr: new URL("./msgpackr.mjs", import.meta.url),
};

const rows = [
  { key: "plain1K", label: "plain, 1 KB", base: "JSON", bar: 0.75 },
  { key: "plain100K", label: "plain, 100 KB", base: "JSON", bar: 0.75 },
  { key: "typed100K", label: "Date, Map, Set, 100 KB", base: "v8", bar: 0.5 },
  { key: "graph", label: "cyclic graph, 1,000 nodes", base: "v8", bar: 0.4 },
];

/** Values to text and back. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const compared = pick(peers, named);
  const names = Object.keys(compared);
  const lines = [];
  printTitle("Serializer: stringify + parse, relative speed (operations per CPU second)");
  await measureMatrix({
    peers: compared,
    rows: rows.filter(({ key }) => key.includes(text)),
    rounds: quick ? 5 : 15,
    report: ({ label, base, bar }, of, toBase) =>
      lines.push([
        label,
        `${base} ${number(of(base) / 1000)} us`,
        ...names.map((name) => ratio(1 / toBase(name))),
        ratio(bar),
      ]),
  });
  printTable(["", "1.00 is", ...names, "bar"], lines);
}
