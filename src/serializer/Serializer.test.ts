import { runInNewContext } from "node:vm";
import type { SerializerErrorCode } from "./serializerError";
import { getDefaultSerializer, Serializer } from "./Serializer";

const serializer = new Serializer();
const throughTree = <T>(value: T): T => serializer.parse<T>(serializer.stringify(value));
const throughGraph = <T>(value: T): T => serializer.deserialize<T>(serializer.serialize(value));

class Money {
  constructor(
    readonly amount: number,
    readonly currency = "EUR",
  ) {}
}

const moneyType = {
  id: "Money",
  is: (value: unknown): value is Money => value instanceof Money,
  serialize: ({ amount, currency }: Money) => ({ amount, currency }),
  deserialize: ({ amount, currency }: { amount: number; currency: string }) => new Money(amount, currency),
};

describe("tree format", () => {
  it("the tree format leaves plain data to JSON", () => {
    const data = { text: "é", list: [1, true, null, { deep: {} }], "": -1.5 };

    expect(serializer.stringify(data)).toBe(JSON.stringify(data));
    expect(throughTree(data)).toEqual(data);
  });

  it("the tree format does not change what it encodes", () => {
    const inner = Object.freeze({ when: new Date(0), none: undefined });
    const data = Object.freeze({ inner, list: Object.freeze([inner, , 1]) }); // eslint-disable-line no-sparse-arrays

    serializer.stringify(data);

    expect(data.inner.when).toBeInstanceOf(Date);
    expect(1 in data.list).toBe(false);
  });

  it("the tree format keeps maps, sets and dates inside each other", () => {
    const value = new Map([[new Date(5), new Set([new Map([[1n, NaN]])])]]);

    expect(throughTree(value)).toEqual(value);
  });

  it("the tree format never calls toJSON, wherever it hides", () => {
    class Secretive {
      visible = 1;
      toJSON(): string {
        return "hidden";
      }
    }
    class List extends Array<number> {
      toJSON(): string {
        return "hidden";
      }
    }
    const child: object = Object.assign(Object.create({ toJSON: () => "hidden" }) as object, { visible: 2 });

    expect(serializer.stringify([new Secretive(), List.of(3), child])).toBe('[{"visible":1},[3],{"visible":2}]');
  });

  it("the tree format ignores what was put on Object.prototype", () => {
    const polluted = Object.prototype as { extra?: unknown };
    try {
      polluted.extra = () => 1;
      expect(serializer.stringify({ a: { b: new Date(0) } })).toBe(
        '{"a":{"b":{"__type":"Date","value":"1970-01-01T00:00:00.000Z"}}}',
      );
      polluted.extra = { __type: "Date", value: "x" };
      expect(Object.keys(serializer.parse<object>('{"a":{}}'))).toEqual(["a"]);
      expect(throughGraph([{ a: 1 }])).toEqual([{ a: 1 }]);
      expect(polluted.extra).toEqual({ __type: "Date", value: "x" });
    } finally {
      delete polluted.extra;
    }
  });

  it("the tree format is indented on request", () => {
    const pretty = new Serializer({ pretty: true });

    expect(pretty.stringify({ at: new Date(0) })).toBe(
      '{\n  "at": {\n    "__type": "Date",\n    "value": "1970-01-01T00:00:00.000Z"\n  }\n}',
    );
  });

  it.each([
    ["an object", () => selfReferring({})],
    ["an array", () => selfReferring([])],
    ["a map", () => selfMap()],
    ["an error's cause", () => selfCaused()],
  ])("the tree format refuses a loop through %s, however deep the limit", (_name, make) => {
    for (const maxDepth of [1000, 5000, Infinity]) {
      const error = caught(() => new Serializer({ maxDepth }).stringify({ make: make() }));

      expect(error).toMatchObject({ code: "UNSUPPORTED_VALUE" satisfies SerializerErrorCode });
      expect(error.message).toBe("Cannot serialize circular structure in tree mode");
    }
  });
});

describe("keys that look like markers", () => {
  it.each([
    ["a typed value", { __type: "Date", value: 1 }, '{"$runner.escape::__type":"Date","value":1}'],
    ["a value that is written as a record", { __type: "X", value: undefined }, undefined],
    ["an escaped key", { "$runner.escape::k": 1 }, '{"$runner.escape::$runner.escape::k":1}'],
    ["both at once", { __type: "A", value: 1, "$runner.escape::__type": "B" }, undefined],
    [
      "a root in graph format",
      { __graph: true, root: 1, nodes: {} },
      '{"$runner.escape::__graph":true,"root":1,"nodes":{}}',
    ],
    ["nodes that only become an object when written", { __graph: true, root: 1, nodes: undefined }, undefined],
    [
      "a root with everything",
      { __graph: true, root: 1, nodes: [], __type: "A", value: 1, "$runner.escape::a": 1 },
      undefined,
    ],
    ["a map of them", new Map([["k", { __type: "Date", value: "x" }]]), undefined],
  ])("keys that look like markers survive as data: %s", (_name, value, text) => {
    expect(throughTree(value)).toEqual(value);
    expect(throughGraph(value)).toEqual(value);
    expect(serializer.stringify(value)).toBe(text ?? serializer.stringify(value));
  });

  it.each([
    ["a lone __type", { __type: "user", name: "n" }],
    ["a __type that is no string", { __type: 1, value: 1 }],
    ["a graph below the root", { a: { __graph: true, root: 1, nodes: {} } }],
    ["a graph without root", { __graph: true, nodes: {} }],
    ["a graph without nodes", { __graph: true, root: 1, nodes: null }],
    ["a reference", { __ref: "obj_1" }],
  ])("keys that look like markers are written as they are where nothing takes them for markers: %s", (_name, value) => {
    expect(serializer.stringify(value)).toBe(JSON.stringify(value));
    expect(throughTree(value)).toEqual(value);
  });

  it("keys that look like markers keep their place among the other keys", () => {
    const value = { a: 1, __type: "X", value: 2, z: 3 };

    expect(Object.keys(throughTree(value))).toEqual(["a", "__type", "value", "z"]);
  });
});

describe("graph format", () => {
  it("the graph format keeps identity and loops", () => {
    const shared = { name: "shared" };
    const value = { left: shared, right: [shared], self: undefined as unknown, map: new Map<object, unknown>() };
    value.self = value;
    value.map.set(shared, value.map);

    const copy = throughGraph(value);

    expect(copy.left).toBe(copy.right[0]);
    expect(copy.self).toBe(copy);
    expect(copy.map.get(copy.left)).toBe(copy.map);
  });

  it("the graph format keeps an error that is its own cause", () => {
    const copy = throughGraph(selfCaused());

    expect(copy).toBeInstanceOf(Error);
    expect(copy.message).toBe("own cause");
    expect(copy.cause).toBe(copy);
  });

  it("the graph format is read by parse, and tree text by deserialize", () => {
    expect(serializer.parse(serializer.serialize({ at: new Date(0) }))).toEqual({ at: new Date(0) });
    expect(serializer.deserialize(serializer.stringify({ at: new Date(0) }))).toEqual({ at: new Date(0) });
  });

  it("the graph format neither escapes nor unescapes", () => {
    const value = { "$runner.escape::a": { __ref: "obj_9", __type: "Date", value: 1 } };

    expect(throughGraph(value)).toEqual(value);
  });

  it("the graph format is indented on request", () => {
    expect(new Serializer({ pretty: true }).serialize([])).toContain('\n  "root": {\n    "__ref": "obj_1"\n  }');
  });
});

describe("classes and realms", () => {
  it("the serializer takes a subclass for the built-in it extends", () => {
    class Tagged extends Map<string, number> {
      override get [Symbol.toStringTag](): string {
        return "Tagged";
      }
      override *entries(): MapIterator<[string, number]> {}
    }

    expect(throughTree(new Tagged([["a", 1]]))).toEqual(new Map([["a", 1]]));
  });

  it("the serializer recognises objects of another realm", () => {
    const foreign = runInNewContext(`({
      plain: { a: [1] }, at: new Date(5), map: new Map([[1, new Set([2])]]), re: /a/g,
      bytes: new Uint8Array([1, 2]), buffer: new ArrayBuffer(1), view: new DataView(new ArrayBuffer(2)),
      floats: new Float64Array([0.5]), error: Object.assign(new TypeError("far"), { code: 7 }), none: Object.create(null),
    })`) as Record<string, unknown>;

    for (const copy of [throughTree(foreign), throughGraph(foreign)]) {
      expect(copy.at).toEqual(new Date(5));
      expect(copy.map).toEqual(new Map([[1, new Set([2])]]));
      expect(String(copy.re)).toBe("/a/g");
      expect([...(copy.bytes as Uint8Array)]).toEqual([1, 2]);
      expect((copy.buffer as ArrayBuffer).byteLength).toBe(1);
      expect((copy.view as DataView).byteLength).toBe(2);
      expect((copy.floats as Float64Array)[0]).toBe(0.5);
      expect(copy.error).toMatchObject({ name: "TypeError", message: "far", code: 7 });
      expect({ plain: copy.plain, none: copy.none }).toEqual({ plain: { a: [1] }, none: {} });
    }
  });

  it("the serializer is not fooled by a foreign object that only carries a tag", () => {
    const foreign: unknown = runInNewContext(
      `["Map", "Set", "Date", "RegExp", "ArrayBuffer", "URL", "Int8Array"].map((tag) => ({ [Symbol.toStringTag]: tag, a: 1 }))`,
    );

    expect(throughTree(foreign)).toEqual(Array.from({ length: 7 }, () => ({ a: 1 })));
  });

  it("the serializer keeps the name and message of a platform error", () => {
    const error = new DOMException("gave up", "AbortError");

    expect(throughTree<Error>(error)).toMatchObject({ name: "AbortError", message: "gave up" });
  });

  it("the serializer reads a Buffer where the platform has none as the bytes it holds", () => {
    const { Buffer } = globalThis;
    const text = serializer.stringify(Buffer.from("hi"));
    try {
      Reflect.deleteProperty(globalThis, "Buffer");
      const bytes = new Serializer().parse<Uint8Array>(text);

      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      expect([...bytes]).toEqual([104, 105]);
    } finally {
      globalThis.Buffer = Buffer;
    }
  });

  it("the serializer gives an error its fields back, standard ones hidden", () => {
    const error = Object.assign(new Error("m", { cause: { why: 1 } }), { code: 7 });
    error.name = "Custom";

    const copy = throughTree(error);

    expect(copy).toMatchObject({ name: "Custom", message: "m", stack: error.stack, cause: { why: 1 }, code: 7 });
    expect(Object.keys(copy)).not.toEqual(expect.arrayContaining(["stack"]));
    expect(Object.keys(copy)).not.toEqual(expect.arrayContaining(["cause"]));
  });
});

describe("addType", () => {
  it("addType carries instances through both formats", () => {
    const typed = new Serializer();
    typed.addType(moneyType);
    const price = new Money(5);

    const tree = typed.parse<Money[]>(typed.stringify([price, price]));
    const graph = typed.deserialize<Money[]>(typed.serialize([price, price]));

    expect(tree).toEqual([price, price]);
    expect(tree[0]).toBeInstanceOf(Money);
    expect(graph[0]).toBeInstanceOf(Money);
    expect(graph[0]).toBe(graph[1]);
  });

  it("addType offers plain objects, and never arrays", () => {
    const offered: unknown[] = [];
    const typed = new Serializer();
    typed.addType({ ...moneyType, is: (value): value is Money => offered.push(value) === 0 });
    const plain = { list: [1] };

    typed.stringify(plain);

    expect(offered).toEqual([plain]);
  });

  it("addType asks in the order of registration, after the built-in types", () => {
    const typed = new Serializer();
    typed.addType({ ...moneyType, id: "Throws", is: (_value): _value is Money => refuse() });
    typed.addType({ ...moneyType, id: "Date only", is: (value): value is Money => value instanceof Date });
    typed.addType({ ...moneyType, id: "First" });
    typed.addType({ ...moneyType, id: "Second" });

    expect(typed.stringify([new Money(1), new Date(0)])).toBe(
      '[{"__type":"First","value":{"amount":1,"currency":"EUR"}},{"__type":"Date","value":"1970-01-01T00:00:00.000Z"}]',
    );
  });

  it("addType lets definitions use this", () => {
    class Registration {
      readonly id = "Money";
      readonly code = 978;
      is = moneyType.is;
      serialize({ amount }: Money): [number, number] {
        return [amount, this.code];
      }
      deserialize([amount, code]: [number, number]): Money {
        return new Money(amount, String(code === this.code));
      }
    }
    const typed = new Serializer();
    typed.addType(new Registration());

    expect(typed.parse(typed.stringify(new Money(3)))).toEqual(new Money(3, "true"));
  });

  it("addType writes an object that is its own payload once, in both formats", () => {
    const typed = new Serializer();
    typed.addType({
      ...moneyType,
      serialize: (money: Money) => money,
      deserialize: ({ amount }: { amount: number }) => new Money(amount),
    });
    const wallet: { price: Money; same?: Money } = { price: new Money(1) };
    wallet.same = wallet.price;

    const copy = typed.deserialize<Required<typeof wallet>>(typed.serialize(wallet));

    expect(typed.stringify(wallet.price)).toBe('{"__type":"Money","value":{"amount":1,"currency":"EUR"}}');
    expect(copy.price).toEqual(new Money(1));
    expect(copy.price).toBe(copy.same);
    expect(caught(() => new Serializer({ maxDepth: 5000 }).stringify(selfReferring({}))).message).toMatch(/circular/);
  });

  it("addType resolves a loop through a type with create() into the created instance", () => {
    class Box {
      #sealed = "sealed";
      content: unknown;
      get seal(): string {
        return this.#sealed;
      }
    }
    const typed = new Serializer();
    typed.addType({
      id: "Box",
      is: (value): value is Box => value instanceof Box,
      serialize: (box) => ({ content: box.content }),
      deserialize: ({ content }) => Object.assign(new Box(), { content }),
      create: () => new Box(),
    });
    const box = new Box();
    box.content = [box];

    const copy = typed.deserialize<Box>(typed.serialize(box));

    expect((copy.content as Box[])[0]).toBe(copy);
    expect(copy.seal).toBe("sealed");
  });

  it("addType resolves a loop through a type without create() when the result can move", () => {
    const typed = new Serializer();
    typed.addType({ ...moneyType, serialize: (money: Money) => ({ ...money }) });
    const price = new Money(1);
    Object.assign(price, { amount: price });

    const copy = typed.deserialize<Money>(typed.serialize(price));

    expect(copy).toBeInstanceOf(Money);
    expect(copy.amount).toBe(copy);
  });

  it.each([
    ["a map", () => new Map(), "for a type without create(); provide create() for identity-safe placeholders"],
    ["an array", () => [], "for a type without create(); provide create() for identity-safe placeholders"],
    ["a number", () => 1, "for a type without create() that deserializes to a non-object value"],
  ])(
    "addType refuses a loop through a type without create() that becomes %s",
    (_name, deserialize: () => unknown, why) => {
      const typed = new Serializer();
      typed.addType({ id: "Money", is: moneyType.is, serialize: (money: Money) => ({ ...money }), deserialize });
      const price = new Money(1);
      Object.assign(price, { amount: price });
      const text = typed.serialize(price);

      expect(caught(() => typed.deserialize(text)).message).toBe(`Cannot preserve circular references ${why}`);
    },
  );

  it("addType belongs to one serializer", () => {
    const typed = new Serializer();
    typed.addType(moneyType);

    expect(new Serializer().stringify(new Money(1))).toBe('{"amount":1,"currency":"EUR"}');
  });
});

describe("limits", () => {
  const doubled = Array.from({ length: 40 }).reduce<unknown>((inner) => [inner, inner], []);
  const long = Array.from({ length: 100_000 }, () => 1);
  const row = Object.fromEntries(Array.from({ length: 100 }, (_each, index) => [`k${index}`, 1]));
  const table = Array.from({ length: 1000 }, () => row);

  it.each([
    ["objects", doubled, 5_000, 10_000_000],
    ["items", Array.from({ length: 1000 }, () => long), 400_000, 1_000_000],
    ["fields", Array.from({ length: 1000 }, () => table), 100_000, 1_000_000],
  ])(
    "the limits of the serializer refuses a tree that shared structure would blow up, however short the text: %s",
    (_what, value, length, maxValues) => {
      const writer = maxValues === 10_000_000 ? serializer : new Serializer({ maxValues });
      const text = serializer.serialize(value);

      const decoded = serializer.parse(text);

      expect(text.length).toBeLessThan(length);
      expect(caught(() => writer.stringify(decoded))).toMatchObject({
        message: `Cannot serialize more than ${maxValues} values in tree mode`,
        code: "TREE_TOO_LARGE",
      });
    },
  );

  it("the limits of the serializer takes a long array for what it is", () => {
    expect(new Serializer().stringify(long)).toHaveLength(200_001);
  });

  it.each([
    ["an object", { a: { b: 1 } }, 2],
    ["an array", [[1]], 2],
    ["an empty container", [[]], 1],
    ["a key that is left out", JSON.parse('{"a":{"constructor":{"b":1}}}') as unknown, 1],
    ["a record of a primitive", [undefined, NaN, 1n], 1],
    ["a date", new Date(0), 1],
    ["a map", new Map([[1, 1]]), 3],
    ["a buffer", Buffer.from("a"), 2],
  ])("the limits of the serializer count levels alike when writing and reading: %s", (_name, value, depth) => {
    const enough = new Serializer({ maxDepth: depth });
    const tooFew = new Serializer({ maxDepth: depth - 1 });
    const text = enough.stringify(value);
    const message = `Maximum depth exceeded (${depth - 1})`;

    expect(enough.stringify(enough.parse(text))).toBe(text);
    expect(caught(() => tooFew.stringify(value))).toMatchObject({ message, code: "DEPTH_EXCEEDED" });
    expect(caught(() => tooFew.parse(text))).toMatchObject({ message, code: "DEPTH_EXCEEDED" });
    expect(caught(() => tooFew.serialize(value))).toMatchObject({ message });
  });

  it("the limits of the serializer count a reference and its node as two levels", () => {
    const text = serializer.serialize({ a: { b: 1 } });

    expect(new Serializer({ maxDepth: 4 }).parse(text)).toEqual({ a: { b: 1 } });
    expect(caught(() => new Serializer({ maxDepth: 3 }).parse(text)).message).toBe("Maximum depth exceeded (3)");
  });

  it("the limits of the serializer tell depth from a loop beyond the depth that is tried first", () => {
    const deep = new Serializer({ maxDepth: 1500 });

    expect(deep.parse(deep.stringify(nest(1500)))).toEqual(nest(1500));
    expect(caught(() => deep.stringify(nest(1501))).message).toBe("Maximum depth exceeded (1500)");
  });

  it("the limits of the serializer end in a RangeError when only the stack is left to stop them", () => {
    const unlimited = new Serializer({ maxDepth: Infinity });
    const text = "[".repeat(200_000) + "]".repeat(200_000);

    expect(caught(() => unlimited.parse(text)).name).toBe("RangeError");
    expect(caught(() => unlimited.stringify(nest(200_000))).name).toBe("RangeError");
  });

  it.each([
    [{ maxDepth: 2.9 }, 2],
    [{ maxDepth: -1 }, 1000],
    [{ maxDepth: NaN }, 1000],
    [{ maxDepth: "5" as unknown as number }, 1000],
  ])("the limits of the serializer read %j as a depth of %d", (options, depth) => {
    const limited = new Serializer(options);

    expect(limited.stringify(nest(depth))).toBe(JSON.stringify(nest(depth)));
    expect(() => limited.stringify(nest(depth + 1))).toThrow(`Maximum depth exceeded (${depth})`);
  });

  it.each(["allow-all", "well-known-only", "disabled"] as const)(
    "the limits of the serializer know the policy %s by its newer name",
    (symbolPolicy) => {
      const limited = new Serializer({ symbolPolicy });
      const reads = (symbol: symbol): boolean => {
        try {
          return limited.parse(serializer.stringify(symbol)) === symbol;
        } catch {
          return false;
        }
      };

      expect([reads(Symbol.iterator), reads(Symbol.for("k"))]).toEqual(
        {
          "allow-all": [true, true],
          "well-known-only": [true, false],
          disabled: [false, false],
        }[symbolPolicy],
      );
    },
  );
});

describe("getDefaultSerializer", () => {
  it("getDefaultSerializer returns one instance", () => {
    expect(getDefaultSerializer()).toBe(getDefaultSerializer());
    expect(getDefaultSerializer()).toBeInstanceOf(Serializer);
  });
});

function nest(depth: number): unknown[] {
  let value: unknown[] = [];
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

function selfReferring(container: object): object {
  return Object.assign(container, { 0: container });
}

function selfMap(): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  return map.set(map, [new Set([map])]);
}

function selfCaused(): Error {
  const error = new Error("own cause");
  error.cause = error;
  return error;
}

function refuse(): never {
  throw new Error("not mine");
}

function caught(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected an error");
}
