import type { SerializerOptions, TypeDefinition } from "./codec";
import vectorFile from "./golden/serializer-vectors.json";
import { Serializer } from "./Serializer";

/** Golden data recorded from version 5.2.0; where ours differs on purpose, `ours` holds the fields that change. */
interface Vector {
  readonly name: string;
  readonly api: string;
  readonly direction: string;
  readonly wire: string | null;
  readonly value?: string;
  readonly throws?: { readonly ctor?: string; readonly message: string };
  readonly deviation?: string;
  readonly ours?: Partial<Vector>;
}

const vectors = (vectorFile as Vector[]).map((vector) => ({ ...vector, ...vector.ours }));
const engineText = new Set(["d.badjson", "d.empty"]);

class Dist {
  constructor(
    readonly value: number,
    readonly unit: string,
  ) {}
  typeName(): string {
    return "Distance";
  }
  toJSONValue(): { value: number; unit: string } {
    return { ...this };
  }
}

class Money {
  constructor(
    readonly a: number,
    readonly c: string,
  ) {}
}

class Point {
  a = 1;
  #b = 2;
  get c(): number {
    return this.#b;
  }
  method(): void {}
}

const money = (strategy?: "value"): TypeDefinition<Money, { a: number; c: string }> => ({
  id: "Money",
  is: (value): value is Money => value instanceof Money,
  serialize: ({ a, c }) => ({ a, c }),
  deserialize: ({ a, c }) => new Money(a, c),
  strategy,
});

const loop = (id: string, key: string, serialize: (value: object) => object): TypeDefinition<object, object> => ({
  id,
  is: (value): value is object => Object.hasOwn(value as object, key),
  serialize,
  deserialize: (payload) => payload,
});

const stacked = <E extends Error>(error: E, fields: object = {}): E => Object.assign(error, { stack: "STACK" }, fields);

/** What a vector encodes, by name. */
const values: Record<string, () => unknown> = {
  "t.null": () => null,
  "t.true": () => true,
  "t.int": () => 42,
  "t.negzero": () => -0,
  "t.float": () => 1.5e-7,
  "t.string": () => 'a"b\né\u2028\ud800',
  "t.empty-object": () => ({}),
  "t.empty-array": () => [],
  "t.undefined-root": () => undefined,
  "t.undefined-nested": () => ({ a: undefined, b: [undefined] }),
  "t.sparse-array": () => Object.assign(new Array(3), { 1: "x" }),
  "t.nan": () => NaN,
  "t.inf": () => Infinity,
  "t.neginf": () => -Infinity,
  "t.bigint": () => 12345678901234567890n,
  "t.bigint-neg": () => ({ v: -7n }),
  "t.symbol-for": () => Symbol.for("app.key"),
  "t.symbol-wk": () => Symbol.iterator,
  "t.symbol-unique": () => Symbol("x"),
  "t.symbol-nested": () => ({ s: Symbol.asyncIterator }),
  "t.symbol-key": () => ({ [Symbol.for("k")]: 1, a: 2 }),
  "t.function": () => () => 1,
  "t.function-nested": () => ({ f: () => 1 }),
  "t.date": () => new Date("2024-01-01T00:00:00.000Z"),
  "t.date-nested": () => ({ d: new Date(0) }),
  "t.date-invalid": () => new Date(NaN),
  "t.regexp": () => /a+b/gi,
  "t.regexp-unsafe": () => /(a+)+/,
  "t.map": () =>
    new Map<unknown, unknown>([
      ["k", 1],
      [{ a: 1 }, new Date(0)],
    ]),
  "t.map-empty": () => new Map(),
  "t.set": () => new Set([1, "a", null, undefined]),
  "t.map-nested": () => ({ m: new Map([["x", new Set([1])]]) }),
  "t.url": () => new URL("https://user:pw@example.com:8080/p?q=1#h"),
  "t.usp": () => new URLSearchParams("a=1&a=2&b=x y"),
  "t.error": () => stacked(new Error("boom")),
  "t.error-type": () => stacked(new TypeError("bad")),
  "t.error-cause": () => stacked(new Error("outer", { cause: stacked(new Error("inner")) })),
  "t.error-custom": () =>
    Object.defineProperty(stacked(new Error("x"), { code: 7, when: new Date(0) }), "g", {
      get: () => 1,
      enumerable: true,
    }),
  "t.error-nostack": () => Object.assign(new Error("x"), { stack: undefined }),
  "t.error-shadow": () => stacked(new Error("x"), { toString: "evil", toJSON: "evil2" }),
  "t.arraybuffer": () => new Uint8Array([1, 255]).buffer,
  "t.dataview": () => new DataView(new Uint8Array([1, 2]).buffer),
  "t.buffer": () => Buffer.from("hi"),
  "t.uint8": () => new Uint8Array([1, 2, 255]),
  "t.uint8sub": () => new Uint8Array([9, 8, 7, 6]).subarray(1, 3),
  "t.int16": () => new Int16Array([1, -1]),
  "t.float64": () => new Float64Array([1.5]),
  "t.bigint64": () => new BigInt64Array([-1n]),
  "t.uint8c": () => new Uint8ClampedArray([300]),
  "t.float32": () => new Float32Array([0.5]),
  "t.class": () => new Point(),
  "t.nullproto": () => Object.assign(Object.create(null) as object, { a: 1 }),
  "t.toJSON": () => ({ toJSON: () => 1 }),
  "t.toJSON-proto": () =>
    new (class {
      a = 1;
      toJSON(): string {
        return "called";
      }
    })(),
  "t.boxed": () => Object(5),
  "t.weakmap": () => new WeakMap(),
  "t.promise": () => Promise.resolve(1),
  "t.unsafe-keys": () => JSON.parse('{"__proto__":1,"constructor":2,"prototype":3,"ok":4}'),
  "t.shared": () => shared(),
  "t.cycle": () => selfReferring({}),
  "t.cycle-map": () => selfContaining(),
  "t.marker-type": () => ({ __type: "Date", value: "x" }),
  "t.marker-graph": () => ({ __graph: true, a: 1 }),
  "t.marker-ref": () => ({ __ref: "obj_1" }),
  "t.marker-esc": () => ({ "$runner.escape::__type": 1 }),
  "t.pretty": () => ({ a: [1, { b: 2 }] }),
  "t.depth0": () => ({ a: 1 }),
  "t.depth1": () => ({ a: { b: 1 } }),
  "t.key-order": () => ({ b: 1, a: 2, 10: 3, 2: 4 }),
  "t.file-sentinel": () => ({ $runnerFile: "File", id: "F1", meta: { name: "a.txt" } }),
  "c.factory": () => new Dist(5, "km"),
  "c.factory-nested": () => ({ d: new Dist(1, "m"), l: [new Dist(2, "m")] }),
  "c.factory-graph": () => ({ d: new Dist(1, "m") }),
  "c.object-tree": () => ({ m: new Money(1, "EUR") }),
  "c.object-graph-ref": () => twice(new Money(1, "EUR")),
  "c.object-graph-value": () => twice(new Money(1, "EUR")),
  "c.self-payload": () => ({ same: 1, n: new Date(0) }),
  "c.excluded-payload": () => ({ loop: 1 }),
  "g.primitive": () => 5,
  "g.undefined": () => undefined,
  "g.date": () => new Date(0),
  "g.bigint": () => 1n,
  "g.object": () => ({ a: 1 }),
  "g.empty-array": () => [],
  "g.array": () => [1, [2]],
  "g.shared": () => shared(),
  "g.cycle": () => selfReferring({ n: 1 }),
  "g.cycle-array": () => {
    const array: unknown[] = [];
    array.push(array);
    return array;
  },
  "g.map": () => new Map([["k", { a: 1 }]]),
  "g.set": () => new Set([1, 2]),
  "g.map-cycle": () => selfContaining(),
  "g.error": () => stacked(new Error("boom")),
  "g.function": () => ({ f: () => 1 }),
  "g.pretty": () => ({ a: 1 }),
  "g.marker-type": () => ({ __type: "Date", value: "x" }),
  "g.marker-ref": () => ({ __ref: "obj_9" }),
  "g.error-cause-cycle": () => {
    const error = stacked(new Error("x"));
    error.cause = error;
    return error;
  },
  "g.mixed": () => ({ d: new Date(0), u: undefined, r: /x/g, b: Buffer.from("hi"), s: Symbol.iterator }),
  "g.shared-date": () => twice(new Date(0)),
  "g.unsafe-keys": () => JSON.parse('{"__proto__":1,"ok":2}'),
  "g.symbol-unique": () => Symbol("x"),
  "g.nested-order": () => ({ a: { b: {} }, c: [{}] }),
};

/** Options and types a vector needs beyond a default serializer, by name. */
const options: Record<string, SerializerOptions> = {
  "t.pretty": { pretty: true },
  "g.pretty": { pretty: true },
  "t.depth0": { maxDepth: 0 },
  "t.depth1": { maxDepth: 1 },
  "d.depth": { maxDepth: 2 },
  "d.depth-ok": { maxDepth: 2 },
  "d.symbol-policy-wk-for": { symbolPolicy: "WellKnownOnly" },
  "d.symbol-policy-wk-ok": { symbolPolicy: "WellKnownOnly" },
  "d.symbol-policy-disabled": { symbolPolicy: "Disabled" },
  "d.regexp-unsafe-allowed": { allowUnsafeRegExp: true },
  "d.notallowed": { allowedTypes: ["Date"] },
  "d.allowed": { allowedTypes: ["Date"] },
};

const addDistance = (serializer: Serializer): void =>
  serializer.addType("Distance", ({ value, unit }: { value: number; unit: string }) => new Dist(value, unit));

const types: Record<string, (serializer: Serializer) => void> = {
  "c.factory": addDistance,
  "c.factory-nested": addDistance,
  "c.factory-graph": addDistance,
  "c.factory-decode": addDistance,
  "c.object-tree": (serializer) => serializer.addType(money()),
  "c.object-graph-ref": (serializer) => serializer.addType(money()),
  "c.object-graph-value": (serializer) => serializer.addType(money("value")),
  "c.self-payload": (serializer) => serializer.addType(loop("Same", "same", (value) => value)),
  "c.excluded-payload": (serializer) => serializer.addType(loop("Loop", "loop", (value) => ({ ...value }))),
};

/** Texts too long to be written down in the file. */
const texts: Record<string, string> = {
  "d.regexp-long": JSON.stringify({ __type: "RegExp", value: { pattern: "a".repeat(1025), flags: "" } }),
  "d.depth-default": "[".repeat(1002) + "]".repeat(1002),
};

type LooseAddType = (...definition: unknown[]) => void;
const withAddType = (use: (addType: LooseAddType) => void) => (): void => {
  const serializer = new Serializer();
  use(serializer.addType.bind(serializer) as LooseAddType);
};
const complete = (id: string): object => ({ ...loop(id, "x", (value) => value) });

const calls: Record<string, () => void> = {
  "a.nofactory": withAddType((addType) => addType("X")),
  "a.noid": withAddType((addType) => addType({})),
  "a.noser": withAddType((addType) => addType({ id: "X" })),
  "a.dup": withAddType((addType) => {
    addType(complete("X"));
    addType(complete("X"));
  }),
  "a.builtin": withAddType((addType) => addType(complete("Date"))),
  "a.nois": withAddType((addType) => addType({ ...complete("X"), is: undefined })),
  "a.undefined": withAddType((addType) => addType(undefined)),
  "a.policy": () => new Serializer({ symbolPolicy: "bogus" as "AllowAll" }),
  "o.maxDepth-neg": () => {
    const text = JSON.stringify({ a: { b: 1 } });
    new Serializer({ maxDepth: -5 }).parse(text);
  },
};

describe("golden vectors", () => {
  const byDirection = (direction: string): (readonly [string, Vector])[] =>
    vectors.filter((vector) => vector.direction === direction).map((vector) => [vector.name, vector] as const);

  it.each(byDirection("encode"))("the serializer writes %s as recorded", (name, vector) => {
    const serializer = serializerFor(name);
    const value = defined(values[name])();
    const write = (): string =>
      vector.api === "serialize" ? serializer.serialize(value) : serializer.stringify(value);

    if (vector.throws) expectThrow(write, vector);
    else expect(write()).toBe(vector.wire);
  });

  it.each(byDirection("decode"))("the serializer reads %s as recorded", (name, vector) => {
    const read = (): unknown => serializerFor(name).parse(texts[name] ?? defined(vector.wire));

    if (vector.throws) expectThrow(read, vector);
    else expect(describeValue(read())).toBe(vector.value);
  });

  it.each(byDirection("call"))("the serializer answers the call %s as recorded", (name, vector) => {
    const call = defined(calls[name]);

    if (vector.throws) expectThrow(call, vector);
    else expect(call).not.toThrow();
  });

  it("the serializer covers every entry of the file", () => {
    expect(
      vectors.map(({ direction }) => direction).filter((direction) => !/^(encode|decode|call)$/.test(direction)),
    ).toEqual([]);
    expect(vectors).toHaveLength(187);
  });
});

function serializerFor(name: string): Serializer {
  const serializer = new Serializer(options[name]);
  types[name]?.(serializer);
  return serializer;
}

function expectThrow(call: () => unknown, { name, throws }: Vector): void {
  const { ctor = "Error", message } = defined(throws);
  const error = caught(call);

  expect(error).toBeInstanceOf(Error);
  // Ours may add fields to an Error; the built-in subclasses are part of the contract.
  if (ctor !== "Error") expect(error.constructor.name).toBe(ctor);
  if (!engineText.has(name)) expect(error.message.split("\n")[0]).toBe(message.split("\n")[0]);
}

function caught(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected an error");
}

function defined<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error("the vector has no counterpart here");
  return value;
}

function shared(): unknown {
  const inner = { x: 1 };
  return { a: inner, b: inner };
}

const selfReferring = (object: object): unknown => Object.assign(object, { self: object });

function selfContaining(): unknown {
  const map = new Map<string, unknown>();
  return map.set("self", map);
}

const twice = (value: object): unknown => [value, value];

/** Writes a decoded value in the notation of the vectors: `@1` names an object where it is first met, `#1` repeats it. */
function describeValue(value: unknown, labels: Map<object, number> = new Map()): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);

  const known = labels.get(value);
  if (known !== undefined) return `#${known}`;
  labels.set(value, labels.size + 1);
  return `@${labels.size} ${describeObject(value, (inner) => describeValue(inner, labels))}`;
}

function describeObject(value: object, describe: (inner: unknown) => string): string {
  const fields = (object: object, colon: string): string =>
    Object.entries(object)
      .map(([key, field]) => `${key}${colon}${describe(field)}`)
      .join(", ");

  if (Array.isArray(value)) return `[${value.map(describe).join(", ")}]`;
  if (value instanceof Date) return `Date(${Number.isNaN(value.getTime()) ? "Invalid" : value.toISOString()})`;
  if (value instanceof RegExp) return `RegExp(${String(value)})`;
  if (value instanceof Map)
    return `Map{${[...value].map(([key, item]) => `${describe(key)}=>${describe(item)}`).join()}}`;
  if (value instanceof Set) return `Set{${[...value].map(describe).join(", ")}}`;
  if (value instanceof URL) return `URL(${value.href})`;
  if (value instanceof URLSearchParams) return `URLSearchParams(${value.toString()})`;
  if (Buffer.isBuffer(value)) return `Buffer<${value.toString("hex")}>`;
  if (value instanceof Uint8Array) return `Uint8Array[${value.join(",")}]`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer<${Buffer.from(value).toString("hex")}>`;
  if (value instanceof Error) return describeError(value, describe, fields);
  const name = value.constructor === Object ? "" : value.constructor.name;
  return `${name}{${fields(value, ": ")}}`;
}

function describeError(
  error: Error,
  describe: (inner: unknown) => string,
  fields: (object: object, colon: string) => string,
): string {
  const own = Object.getOwnPropertyNames(error).sort().join("|");
  const cause = Object.hasOwn(error, "cause") ? `, cause=${describe(error.cause)}` : "";
  const { name, ...extra } = error;
  const head = `name=${name}, message=${describe(error.message)}, ctor=${error.constructor.name}`;
  return `Error(${head}, own=${own}${cause}; extra={${fields(extra, ":")}})`;
}
