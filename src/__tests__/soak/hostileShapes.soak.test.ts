import { defaultLimits, Tally } from "../../serializer/limits";
import { Serializer } from "../../serializer/Serializer";
import { wireSerializer } from "../../serializer/wireSerializer";
import { createTypeRegistry } from "../../serializer/typeRegistry";
import { decode } from "../../serializer/decode";

/**
 * Shapes that take the most time and memory for their size, each as large as the limits of the wire let it be: 2 MiB for
 * a request, 32 MiB for a reply. Printed are the time and the memory that reading and writing back take; asserted is
 * the work, counted in values and characters, since a busy machine makes any time wrong.
 */

const MiB = 1024 * 1024;
const sizes = { request: 2 * MiB, reply: 32 * MiB };
const maxValues = 1_000_000;
const maxChars = 32 * MiB;
const serializer = wireSerializer(new Serializer(), { maxChars, omitErrorStacks: true });

const record = (type: string, payload: string): string => `{"__type":"${type}","value":${payload}}`;
const list = (piece: (index: number) => string, size: number): string => {
  const pieces: string[] = [];
  let length = 2;
  for (let index = 0; length < size; index += 1) {
    const text = piece(index);
    pieces.push(text);
    length += text.length + 1;
  }
  return `[${pieces.slice(0, -1).join()}]`;
};
const same = (piece: string) => (size: number) => list(() => piece, size);
const each = (piece: (index: number) => string) => (size: number) => list(piece, size);
const long = (start: string, piece: string, end: string) => (size: number) =>
  start + piece.repeat(Math.floor((size - start.length - end.length) / piece.length)) + end;
const keys = (key: (index: number) => string) => (size: number) =>
  list((index) => `"${key(index)}":0`, size)
    .replace(/^\[/, "{")
    .replace(/\]$/, "}");
const graph = (nodes: Record<string, string>, root: string): string =>
  `{"__graph":true,"root":${root},"nodes":{${Object.entries(nodes)
    .map(([id, node]) => `"${id}":${node}`)
    .join()}}}`;
const manyOf = (value: string) => (size: number) =>
  graph({ a: `{"kind":"object","value":${value}}` }, same('{"__ref":"a"}')(Math.max(100, size - value.length - 200)));

const shapes: Record<string, (size: number) => string> = {
  "empty lists": same("[]"),
  "empty objects": same("{}"),
  numbers: same("0"),
  "lists nested 990 deep": same("[".repeat(990) + "]".repeat(990)),
  "objects nested 900 deep": same('{"a":'.repeat(900) + "0" + "}".repeat(900)),
  "maps nested 300 deep": same('{"__type":"Map","value":[[0,'.repeat(300) + "0" + "]]}".repeat(300)),
  "objects with a key of their own": each((index) => `{"${index.toString(36)}x":0}`),
  "objects with an index": same('{"20":0}'),
  "one object of many keys": keys((index) => `${index.toString(36)}x`),
  "one object of many indexes": keys((index) => String((index * 7919) % 4_294_967_291)),
  "escaped keys": keys((index) => `$runner.escape::${index.toString(36)}`),
  "empty sets": same(record("Set", "[]")),
  "a set of big integers that share a hash": (size) =>
    record("Set", each((i) => record("BigInt", `"${BigInt(i + 1) << 64n}"`))(size)),
  errors: same(record("Error", '{"name":"","message":""}')),
  "typed arrays": same(record("Float64Array", "[]")),
  buffers: same(record("Buffer", "[0]")),
  "one buffer": (size) => record("Buffer", same("255")(size)),
  addresses: same(record("URL", '"a:"')),
  "one long address": long('{"__type":"URL","value":"http://a/', "é/", '"}'),
  "one long query": long('{"__type":"URLSearchParams","value":"', "a&", '"}'),
  "short expressions": each((index) => record("RegExp", `{"pattern":"(?:a${index}|b)*","flags":""}`)),
  "long expressions": each((index) =>
    record("RegExp", `{"pattern":"(?:${index}${"[a-z]?".repeat(160)}-)*","flags":""}`),
  ),
  "one big integer": long('{"__type":"BigInt","value":"', "7", '"}'),
  "big integers of 4,000 digits": same(record("BigInt", `"${"7".repeat(4000)}"`)),
  dates: same(record("Date", '"Jan 1 2000 (x)"')),
  "control characters": long('"', "\\u0001", '"'),
  "references to one text": manyOf(`{"text":"${"x".repeat(100_000)}"}`),
  "references to one text of control characters": manyOf(`{"text":"${"\\u0001".repeat(100_000)}"}`),
  "references to one row": manyOf(`{"row":${list((index) => `"item ${index}"`, 40_000)}}`),
};

const table: string[] = [];
afterAll(() => {
  const head =
    "shape".padEnd(48) + "MiB".padStart(6) + "read ms".padStart(9) + "write ms".padStart(10) + "x bytes".padStart(9);
  process.stdout.write(`\n${head}\n${table.join("\n")}\n`);
});

describe.each(Object.entries(sizes))("the largest %s", (what, size) => {
  it.each(Object.entries(shapes))(`takes bounded work as a ${what}: %s`, (shape, make) => {
    const text = make(size);
    const before = process.memoryUsage().heapUsed;
    const started = performance.now();
    const work = workOf(text);
    const readMs = performance.now() - started;
    const grown = Math.max(0, process.memoryUsage().heapUsed - before) / text.length;
    const outcome = work.error === undefined ? writeBack(text) : { writeMs: 0, note: work.error };

    table.push(
      `${what}: ${shape}`.padEnd(48) +
        (text.length / MiB).toFixed(1).padStart(6) +
        readMs.toFixed(0).padStart(9) +
        outcome.writeMs.toFixed(0).padStart(10) +
        grown.toFixed(0).padStart(9) +
        `  ${outcome.note}`,
    );

    // One container past the limit is where counting stops.
    expect(work.values).toBeLessThanOrEqual(maxValues + size / 2);
    if (work.error === undefined) expect([work.values <= maxValues, work.chars <= maxChars]).toEqual([true, true]);
    else expect(work.error).toMatch(/^Cannot deserialize more than|share a hash$|^Unsafe RegExp pattern$/);
  });
});

/** What reading a text counts, and what it was refused with. */
function workOf(text: string): { values: number; chars: number; error?: string } {
  const tally = new Tally("deserialize", maxValues, maxChars);
  try {
    decode(text, createTypeRegistry(), defaultLimits, tally);
    return tally;
  } catch (error) {
    return { values: tally.values, chars: tally.chars, error: (error as Error).message };
  }
}

function writeBack(text: string): { writeMs: number; note: string } {
  const value = serializer.parse(text);
  const started = performance.now();
  try {
    const { length } = serializer.stringify(value);
    return { writeMs: performance.now() - started, note: `written: ${(length / MiB).toFixed(1)} MiB` };
  } catch (error) {
    return { writeMs: performance.now() - started, note: String((error as Error).message.split("\n")[0]) };
  }
}
