import { measureMatrix, pick } from "../lib/matrix.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";

const peers = {
  bare: new URL("./bare.mjs", import.meta.url),
  direct: new URL("./direct.mjs", import.meta.url),
  ours: new URL("./ours.mjs", import.meta.url),
  5.5: new URL("./ref55.mjs", import.meta.url),
  effect: new URL("./effect.mjs", import.meta.url),
};

const rows = [
  { key: "call", label: "call a task", bar: 2.3 },
  { key: "middleware1", label: "1 middleware", bar: 3.7 },
  { key: "middleware5", label: "5 middleware", bar: 8.5 },
  { key: "emit0", label: "emit, no hook", bar: 1.8 },
  { key: "emit1", label: "emit, 1 hook", bar: 5 },
  { key: "emit10", label: "emit, 10 hooks", bar: 19 },
  { key: "nested5", label: "5 nested tasks", bar: 12 },
];

/** What a call in the same process costs. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const compared = pick(peers, named);
  const others = Object.keys(compared).filter((name) => name !== "bare");
  const lines = [];
  printTitle("In process: CPU per call, in nanoseconds, and relative to a bare async call");
  await measureMatrix({
    peers: compared,
    rows: rows.filter(({ key }) => key.includes(text)).map((row) => ({ ...row, base: "bare" })),
    rounds: quick ? 5 : 15,
    report: ({ label, bar }, of, toBase) =>
      lines.push([
        label,
        number(of("bare")),
        ...others.flatMap((name) => [number(of(name)), ratio(toBase(name))]),
        ratio(bar),
      ]),
  });
  printTable(["", "bare", ...others.flatMap((name) => [name, "x"]), "bar x"], lines);
}
