import { inspect } from "node:util";
import fc from "fast-check";
import { isBeyondPlain, plainFormat } from "./plainFormat";
import { Serializer } from "./Serializer";

const serializer = new Serializer();

/** Keys the format gives a meaning to, so that chance meets them. */
const loadedKeys = [
  "__type",
  "value",
  "__graph",
  "root",
  "nodes",
  "__ref",
  "kind",
  "type",
  "name",
  "message",
  "$runner.escape::x",
  "toJSON",
  "length",
  "",
];
const unsafeKeys = ["__proto__", "constructor", "prototype", "$runner.escape::__proto__"];
const typeIds = [
  "Date",
  "RegExp",
  "Map",
  "Set",
  "Undefined",
  "NonFiniteNumber",
  "BigInt",
  "Symbol",
  "Error",
  "URL",
  "URLSearchParams",
  "ArrayBuffer",
  "DataView",
  "Buffer",
  "Int16Array",
  "Nope",
];

const safeKey = fc.oneof(fc.constantFrom(...loadedKeys), fc.string()).filter((key) => !unsafeKeys.includes(key));

const { supported } = fc.letrec<{ supported: unknown; scalar: unknown }>((tie) => ({
  scalar: fc.oneof(
    fc.constantFrom(null, undefined, true, NaN, Infinity, -Infinity, Symbol.iterator, Symbol.for("k"), "Date"),
    fc.string({ unit: "binary" }),
    fc.double({ noNaN: true }).map((number) => (number === 0 ? 0 : number)),
    fc.bigInt(),
  ),
  supported: fc.oneof(
    { maxDepth: 5 },
    tie("scalar"),
    fc.date({ noInvalidDate: true }),
    fc.constantFrom(/a+b/gi, new URL("https://a.b/?q=1"), new URLSearchParams("a=1&a=2")),
    fc.uint8Array({ maxLength: 5 }),
    fc.float64Array({ maxLength: 3, noNaN: true }),
    fc.bigInt64Array({ maxLength: 3 }),
    fc.array(tie("supported"), { maxLength: 4 }),
    fc.dictionary(safeKey, tie("supported"), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(tie("supported"), tie("supported")), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie("supported"), { maxLength: 3 }).map((values) => new Set(values)),
    fc.tuple(fc.string(), tie("supported")).map(([message, cause]) => new Error(message, { cause })),
  ),
}));

const { hostile } = fc.letrec<{ hostile: unknown }>((tie) => ({
  hostile: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, 0, 1.5, -1, true, "a", "n0", "For", "array", "object", "g", "(a+)+", "1970"),
    fc.array(tie("hostile"), { maxLength: 3 }),
    fc.record({ __type: fc.constantFrom(...typeIds), value: tie("hostile") }),
    fc.record({ __ref: fc.constantFrom("n0", "n1", "n2", "__proto__") }),
    fc.record({
      kind: fc.constantFrom("array", "object", "For", "WellKnown"),
      value: tie("hostile"),
      key: fc.constant("iterator"),
    }),
    fc.record({ kind: fc.constant("type"), type: fc.constantFrom(...typeIds), value: tie("hostile") }),
    fc.record(
      { name: fc.constant("E"), message: fc.string(), customFields: tie("hostile"), cause: tie("hostile") },
      { requiredKeys: ["name", "message"] },
    ),
    fc.array(fc.tuple(fc.constantFrom(...loadedKeys, ...unsafeKeys), tie("hostile")), { maxLength: 3 }).map(ownKeys),
  ),
}));

const hostileText = fc.oneof(
  hostile.map((value) => JSON.stringify(value)),
  fc
    .record({ root: hostile, n0: hostile, n1: hostile, n2: hostile })
    .map(({ root, ...nodes }) => JSON.stringify({ __graph: true, root, nodes })),
  fc.json(),
  fc.string(),
);

describe("any supported value", () => {
  it("any supported value survives the tree format", () => {
    fc.assert(
      fc.property(supported, (value) => expect(serializer.parse(serializer.stringify(value))).toStrictEqual(value)),
    );
  });

  it("any supported value survives the graph format", () => {
    fc.assert(
      fc.property(supported, (value) =>
        expect(serializer.deserialize(serializer.serialize(value))).toStrictEqual(value),
      ),
    );
  });

  it("any supported value is written the same way by indented and by compact serializers", () => {
    const pretty = new Serializer({ pretty: true });

    fc.assert(
      fc.property(supported, (value) => {
        expect(JSON.parse(pretty.stringify(value))).toEqual(JSON.parse(serializer.stringify(value)));
        expect(JSON.parse(pretty.serialize(value))).toEqual(JSON.parse(serializer.serialize(value)));
      }),
    );
  });

  it("any supported value is plain JSON when it is plain data", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!/__type|__graph|__proto__|\$runner|constructor|prototype/.test(JSON.stringify(value)));
        expect(serializer.stringify(value)).toBe(JSON.stringify(value));
      }),
    );
  });
});

describe("any text", () => {
  it("any text is read or refused with a documented error, and pollutes nothing", () => {
    const before = Object.getOwnPropertyNames(Object.prototype);

    fc.assert(
      fc.property(hostileText, (text) => {
        try {
          assertSafe(serializer.parse(text), new Set());
        } catch (error) {
          const { code, name } = error as { code?: unknown; name?: unknown };
          if (typeof code !== "string" && name !== "SyntaxError") throw error;
        }
      }),
      { numRuns: 5000 },
    );

    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });

  it("any text means the same after another round when it was read", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        let value: unknown;
        try {
          value = serializer.parse(text);
        } catch {
          return;
        }
        fc.pre(!(value instanceof Error) && !/"__type":"(Date|Error)"|"__graph"/.test(text));
        expect(serializer.parse(serializer.stringify(value))).toEqual(value);
      }),
    );
  });
});

describe("the plain format", () => {
  const plain = plainFormat(Infinity);
  /** What a call gives or fails with; `undefined` where it is left to the complete serializer. */
  function outcomeOf<T>(call: () => T): { value?: T; error?: string } | undefined {
    try {
      return { value: call() };
    } catch (error) {
      return isBeyondPlain(error) ? undefined : { error: String(error) };
    }
  }

  it("the plain format writes any value as serializers do, or leaves it to them", () => {
    let written = 0;
    fc.assert(
      fc.property(fc.oneof(supported, fc.jsonValue()), (value) => {
        const outcome = outcomeOf(() => plain.stringify(value));
        if (outcome === undefined) return;
        written += 1;
        expect(outcome).toEqual(outcomeOf(() => serializer.stringify(value)));
      }),
      { numRuns: 500 },
    );
    expect(written).toBeGreaterThan(100);
  });

  it("the plain format reads any text as serializers do, or leaves it to them", () => {
    let read = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          hostileText,
          supported.map((value) => serializer.stringify(value)),
        ),
        (text) => {
          const outcome = outcomeOf(() => plain.parse(text));
          if (outcome === undefined) return;
          read += 1;
          // Matchers hold that no invalid date is another one.
          const print = (value: unknown) => inspect(value, { depth: null });
          expect(print(outcome)).toBe(print(outcomeOf(() => serializer.parse(text))));
        },
      ),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(500);
  });
});

/** `__proto__` included. */
function ownKeys(entries: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(entries);
}

function assertSafe(value: unknown, seen: Set<object>): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || Object.getPrototypeOf(prototype) === null) expect(prototype).toBe(Object.prototype);
  for (const key of Object.keys(value)) {
    if (["__proto__", "constructor", "prototype"].includes(key)) throw new Error(`kept ${key}`);
    assertSafe((value as Record<string, unknown>)[key], seen);
  }
  if (value instanceof Map) for (const entry of value) assertSafe(entry, seen);
  if (value instanceof Set) for (const item of value) assertSafe(item, seen);
}
