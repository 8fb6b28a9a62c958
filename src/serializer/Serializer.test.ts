import { runInNewContext } from "node:vm";
import type { SerializerErrorCode } from "./serializerError";
import { getDefaultSerializer, Serializer } from "./Serializer";

const serializer = new Serializer();
const throughTree = <T>(value: T): T => serializer.parse<T>(serializer.stringify(value));
const throughGraph = <T>(value: T): T => serializer.deserialize<T>(serializer.serialize(value));

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

describe("getDefaultSerializer", () => {
  it("getDefaultSerializer returns one instance", () => {
    expect(getDefaultSerializer()).toBe(getDefaultSerializer());
    expect(getDefaultSerializer()).toBeInstanceOf(Serializer);
  });
});

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

function caught(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected an error");
}
