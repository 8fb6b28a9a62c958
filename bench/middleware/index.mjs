import { measureMatrix, pick } from "../lib/matrix.mjs";
import { number, printTable, printTitle, ratio } from "../lib/table.mjs";

const peers = {
  hand: new URL("./byHand.mjs", import.meta.url),
  ours: new URL("./ours.mjs", import.meta.url),
  5.5: new URL("./ref55.mjs", import.meta.url),
  cockatiel: new URL("./cockatiel.mjs", import.meta.url),
};

/** Debounce is left out: what it costs is the time that it waits. */
const rows = [
  { key: "none", label: "no middleware" },
  { key: "retry", label: "retry, no failure" },
  { key: "timeout", label: "timeout, in time" },
  { key: "circuitBreaker", label: "circuit breaker, closed" },
  { key: "concurrency", label: "concurrency, free" },
  { key: "rateLimit", label: "rate limit, admitted" },
  { key: "throttle", label: "throttle, at once" },
  { key: "fallback", label: "fallback, no failure" },
  { key: "cache", label: "cache, hit" },
  { key: "all5", label: "5 around each other" },
];

/** What each built-in middleware costs around an empty task where nothing goes wrong. */
export async function bench({ quick, peers: named, rows: text = "" }) {
  const compared = pick(peers, named);
  const others = Object.keys(compared).filter((name) => name !== "hand");
  const lines = [];
  printTitle("Built-in middleware: CPU per call, in nanoseconds, and relative to the same by hand");
  await measureMatrix({
    peers: compared,
    rows: rows.filter(({ key }) => key.includes(text)).map((row) => ({ ...row, base: "hand" })),
    rounds: quick ? 5 : 15,
    report: ({ label }, of, toBase) =>
      lines.push([label, number(of("hand")), ...others.flatMap((name) => [number(of(name)), ratio(toBase(name))])]),
  });
  printTable(["", "by hand", ...others.flatMap((name) => [name, "x"])], lines);
}
