import { Serializer } from "./Serializer";
import { wireSerializer } from "./wireSerializer";

const standalone = new Serializer();
const wire = wireSerializer(new Serializer(), { maxChars: 32 * 1024 * 1024 });
const MiB = 1024 * 1024;

const row = (length: number): string[] => Array.from({ length }, (_each, index) => `item ${index}`);

/** Text in graph format of `count` references to one value. */
const repeated = (value: unknown, count: number): string =>
  standalone.serialize(Array.from({ length: count }, () => value));

describe("a graph that is short and means a large tree", () => {
  it.each([
    ["values", repeated(row(3000), 4000), "1000000 values"],
    ["values of maps", repeated(new Map(row(2000).map((text) => [text, text])), 1000), "1000000 values"],
    ["bytes", repeated(new Map([["k", new Uint8Array(20_000)]]), 5000), "1000000 values"],
    ["nested sharing", standalone.serialize(doubled(30)), "1000000 values"],
    ["a loop that everything leads into", standalone.serialize(completeGraph(40)), "1000000 values"],
    ["characters of a text", repeated({ text: "x".repeat(MiB) }, 400), "33554432 characters"],
    ["characters of a property name", repeated({ ["x".repeat(MiB)]: 1 }, 400), "33554432 characters"],
    ["characters of a message", repeated(new Error("x".repeat(MiB)), 400), "33554432 characters"],
    ["characters that are written as six", repeated({ text: "\u0001".repeat(MiB) }, 6), "33554432 characters"],
  ])("a graph that is short and means a large tree is refused when it is read: %s", (_what, text, limit) => {
    expect(text.length).toBeLessThan(10 * MiB);
    expect(() => wire.parse(text)).toThrow(`Cannot deserialize more than ${limit}`);
    expect(() => standalone.parse(text)).not.toThrow();
  });

  it("a graph that is short and means a large tree is refused when what it means is written as a tree", () => {
    const loose = new Serializer({ maxValues: Infinity, maxChars: 1000 });
    const text = "x".repeat(400);

    expect(loose.stringify([text, text])).toHaveLength(807);
    expect(() => loose.stringify([text, text, text])).toThrow(
      "Cannot serialize more than 1000 characters in tree mode",
    );
  });

  it("a graph that is short and means a large tree is read where every reference leads to something new or back", () => {
    const list: { next?: object; previous?: object }[] = Array.from({ length: 400 }, () => ({}));
    for (const [index, node] of list.entries())
      Object.assign(node, { next: list[index + 1], previous: list[index - 1] });
    const text = standalone.serialize(list[0]);

    const copy = wire.parse<(typeof list)[0]>(text);

    expect(wire.parse<typeof list>(standalone.serialize([list[0]]))).toHaveLength(1);
    expect((copy.next as typeof copy).previous).toBe(copy);
  });
});

describe("limits of values and characters", () => {
  it.each([
    ["items", [1, 2, 3], 4],
    ["properties", { a: 1, b: 2 }, 3],
    ["nested ones", { a: [1, { b: 2 }] }, 5],
    ["a date", [new Date(0)], 2],
    ["a map", new Map([["k", 1]]), 4],
    ["a symbol", Symbol.iterator, 3],
    ["bytes", [Buffer.from("many bytes")], 2],
    ["a text", "text", 1],
  ])("limits of values and characters count values alike when writing and reading: %s", (_what, value, count) => {
    const enough = new Serializer({ maxValues: count });
    const tooFew = new Serializer({ maxValues: count - 1 || 0.5 });
    const text = standalone.stringify(value);

    expect(enough.stringify(value)).toBe(text);
    expect(enough.stringify(enough.parse(text))).toBe(text);
    if (count === 1) return;
    expect(() => tooFew.stringify(value)).toThrow(`Cannot serialize more than ${count - 1} values`);
    expect(() => tooFew.serialize(value)).toThrow(`Cannot serialize more than ${count - 1} values`);
    expect(() => tooFew.parse(text)).toThrow(`Cannot deserialize more than ${count - 1} values`);
  });

  it.each([
    ["texts", ["abc", "de"], 5],
    ["a lone text", "abcde", 5],
    ["property names", { abc: 1, de: 2 }, 5],
    ["bytes, at four each and 128 for their view", new Uint8Array(10), 168],
    ["dates, at 64 beside their text", [new Date(0)], 88],
    ["addresses, at eight for each", new URL("a:b"), 27],
  ])("limits of values and characters count characters alike when writing and reading: %s", (_what, value, count) => {
    const enough = new Serializer({ maxChars: count });
    const tooFew = new Serializer({ maxChars: count - 1 });
    const text = standalone.stringify(value);

    expect(enough.stringify(value)).toBe(text);
    expect(enough.stringify(enough.parse(text))).toBe(text);
    expect(() => tooFew.stringify(value)).toThrow(`Cannot serialize more than ${count - 1} characters`);
    expect(() => tooFew.serialize(value)).toThrow(`Cannot serialize more than ${count - 1} characters`);
    expect(() => tooFew.parse(text)).toThrow(`Cannot deserialize more than ${count - 1} characters`);
  });

  it.each([
    ["a list with one item far out", () => Object.assign([], { 30_000_000: 1 }) as unknown],
    ["a list that is only long", () => Object.assign([], { length: 4_294_967_295 }) as unknown],
    ["such a list as a value of a map", () => new Map([["k", Object.assign([], { length: 1e9 })]])],
    ["such a list with a toJSON", () => Object.assign([], { length: 1e9, toJSON: () => 1 }) as unknown],
  ])("limits of values and characters are checked before anything of that size is made: %s", (_what, make) => {
    for (const mode of ["stringify", "serialize"] as const) {
      expect(() => standalone[mode](make())).toThrow("Cannot serialize more than 10000000 values");
    }
  });

  it.each([
    ["a buffer", () => Buffer.alloc(200_000_000)],
    ["an ArrayBuffer", () => new ArrayBuffer(1_000_000_000)],
    ["a typed array", () => new Float64Array(50_000_000)],
    ["a view of one", () => new DataView(new ArrayBuffer(500_000_000))],
  ])("limits of values and characters are checked before bytes become a list: %s", (_what, make) => {
    expect(() => wire.stringify({ result: make() })).toThrow("Cannot serialize more than 33554432 characters");
  });

  it("limits of values and characters let a large buffer pass as one value", () => {
    const bytes = Buffer.alloc(3 * MiB, 255);

    expect(wire.parse<Buffer>(wire.stringify(bytes)).equals(bytes)).toBe(true);
  });

  it("limits of values and characters refuse a large text before it is parsed as JSON", () => {
    const parse = jest.spyOn(JSON, "parse");
    try {
      for (const piece of ["[],", "{},", '{"a":1},', '"ab",', '"\\\\\\"",', ' "a" ,']) {
        const text = `[${piece.repeat(1_000_001)}0]`;
        expect(() => wire.parse(text)).toThrow("Cannot deserialize more than 1000000 values");
      }
      expect(() => wire.parse(`{${'"a":0,'.repeat(1_000_001)}"b":0}`)).toThrow(/more than 1000000 values/);
      expect(parse).not.toHaveBeenCalled();
    } finally {
      parse.mockRestore();
    }
  });

  it("limits of values and characters do not take the length of a text for its size", () => {
    const long = {
      texts: ["[{,:".repeat(MiB), '\\"'.repeat(MiB)],
      dates: Array.from({ length: 300_000 }, () => new Date(0)),
    };

    const text = wire.stringify(long);
    const read = wire.parse<typeof long>(text);

    expect(read.texts).toEqual(long.texts);
    expect(read.dates.every((date) => date instanceof Date && date.getTime() === 0)).toBe(true);
    expect(read.dates).toHaveLength(long.dates.length);
  });

  it("limits of values and characters are those of the serializer where it states them, on the wire too", () => {
    const stated = wireSerializer(new Serializer({ maxValues: Infinity, maxChars: 10 }), { maxChars: 1e9 });
    const many = Array.from({ length: 1_000_001 }, () => 0);

    expect(stated.parse(stated.stringify(many))).toHaveLength(1_000_001);
    expect(() => stated.stringify("x".repeat(11))).toThrow("more than 10 characters");
    expect(() => wire.stringify(many)).toThrow("more than 1000000 values");
  });

  it("limits of values and characters count long big integers for more than their digits, which are no linear work", () => {
    const long = `{"__type":"BigInt","value":"${"7".repeat(1_000_000)}"}`;
    const huge = 7n ** 500_000n;
    const key = 2n ** 16384n;

    expect(() => wire.parse(long)).toThrow("more than 33554432 characters");
    expect(() => wire.stringify(huge)).toThrow("more than 33554432 characters");
    expect(wire.parse(wire.stringify(key))).toBe(key);
    expect(standalone.parse<bigint>(long) > 0n).toBe(true);
  });
});

describe("symbols of strangers", () => {
  const symbolFor = (key: string): string => `{"__type":"Symbol","value":{"kind":"For","key":"${key}"}}`;

  it("symbols of unknown senders are refused after 1,000 different ones, since the process keeps them for ever", () => {
    const serializer = new Serializer();
    const onWire = wireSerializer(serializer, { maxChars: 1e6 });
    for (let index = 0; index < 1000; index += 1) serializer.parse(symbolFor(`stranger ${index}`));

    expect(() => serializer.parse(symbolFor("one more"))).toThrow("Different symbols exceed limit (1000)");
    expect(() => onWire.parse(symbolFor("one more"))).toThrow("Different symbols exceed limit (1000)");
    expect(onWire.parse(symbolFor("stranger 999"))).toBe(Symbol.for("stranger 999"));
    expect(serializer.parse(serializer.stringify(Symbol.iterator))).toBe(Symbol.iterator);
    expect(new Serializer().parse(symbolFor("one more"))).toBe(Symbol.for("one more"));
  });

  it("symbols of unknown senders have keys of 1,024 units at most", () => {
    expect(standalone.parse(symbolFor("x".repeat(1024)))).toBe(Symbol.for("x".repeat(1024)));
    expect(() => standalone.parse(symbolFor("x".repeat(1025)))).toThrow("Symbol key exceeds limit (1024)");
  });
});

describe("errors", () => {
  it("an error that is read or written have a stack that says what they are, and not where they were read", () => {
    const copy = standalone.parse<Error>('{"__type":"Error","value":{"name":"RangeError","message":"m"}}');

    expect(copy.stack).toBe("RangeError: m");
    expect(Error.stackTraceLimit).toBeGreaterThan(0);
  });

  it("an error that is read or written leave out their stacks on request, wherever they are", () => {
    const quiet = new Serializer({ omitErrorStacks: true });
    class AppError extends Error {
      details = { nested: new TypeError("n") };
    }
    const value = {
      settled: [{ status: "rejected", reason: new AppError("a", { cause: new Error("c") }) }],
      several: new AggregateError([new Error("e")], "many"),
      map: new Map([["k", new Set([new Error("s")])]]),
      platform: new DOMException("gone", "AbortError"),
      shared: Object.assign(new Error("x"), { self: [new Error("y")] }),
    };

    for (const text of [quiet.stringify(value), quiet.serialize(value)]) {
      expect(text).not.toMatch(/stack|limits\.test|node:/);
      expect(text).toContain('"message":"c"');
    }
    expect(standalone.stringify(value)).toContain("limits.test");
  });
});

function doubled(levels: number): unknown {
  return Array.from({ length: levels }).reduce<unknown>((inner) => [inner, inner], []);
}

/** Every node refers to every other. */
function completeGraph(size: number): object {
  const nodes: object[][] = Array.from({ length: size }, () => []);
  for (const node of nodes) node.push(...nodes);
  return nodes;
}
