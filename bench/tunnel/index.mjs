import { measureMatrix, pick } from "../lib/matrix.mjs";
import { number, printTable, printTitle } from "../lib/table.mjs";

const peers = {
  client: new URL("./direct.mjs", import.meta.url),
  routed: new URL("./routed.mjs", import.meta.url),
  "from a task": new URL("./nested.mjs", import.meta.url),
  5.5: new URL("./routed55.mjs", import.meta.url),
};

/** Over a network the difference drowns in what the network costs: see `client` for that. */
const rows = [
  { key: "plain", label: "a call", bar: 2000 },
  { key: "signal", label: "with a signal", bar: 2000 },
  // A local call with a time costs as much: a timer and a signal.
  { key: "deadline", label: "with 60 s for it", bar: NaN },
];

/** What it costs that a tunnel routes a call, over calling its client, which replies at once. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const compared = pick(peers, named);
  const names = Object.keys(compared);
  const lines = [];
  printTitle("Tunnel: CPU per call, in nanoseconds");
  await measureMatrix({
    peers: compared,
    rows: rows.filter(({ key }) => key.includes(text)).map((row) => ({ ...row, base: "client" })),
    rounds: quick ? 5 : 15,
    report: ({ label, bar }, of) =>
      lines.push([label, ...names.map((name) => number(of(name))), number(of("routed") - of("client")), number(bar)]),
  });
  printTable(["", ...names, "routing", "bar"], lines);
}
