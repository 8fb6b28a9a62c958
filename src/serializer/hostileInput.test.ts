import type { SerializerOptions } from "./codec";
import { Serializer } from "./Serializer";
import type { SerializerErrorCode } from "./serializerError";

const record = (type: string, value: unknown): string => JSON.stringify({ __type: type, value });
const graph = (root: unknown, nodes: unknown): string => JSON.stringify({ __graph: true, version: 1, root, nodes });
const ref = (id: unknown): { __ref: unknown } => ({ __ref: id });

type Row = readonly [
  what: string,
  text: string,
  message: string,
  code: SerializerErrorCode,
  options?: SerializerOptions,
];

const rows: readonly Row[] = [
  [
    "a million levels",
    "[".repeat(1_000_000) + "]".repeat(1_000_000),
    "Maximum depth exceeded (1000)",
    "DEPTH_EXCEEDED",
  ],
  [
    "a million nested objects",
    '{"a":'.repeat(300_000) + "1" + "}".repeat(300_000),
    "Maximum depth exceeded (1000)",
    "DEPTH_EXCEEDED",
  ],
  [
    "records inside records",
    '{"__type":"Set","value":['.repeat(600) + "]}".repeat(600),
    "Maximum depth exceeded (1000)",
    "DEPTH_EXCEEDED",
  ],
  ["a chain of nodes", chainOfNodes(2000), "Maximum depth exceeded (1000)", "DEPTH_EXCEEDED"],
  ["a marker spelled with escapes", '{"\\u005f_type":"Nope","value":1}', "Unknown type: Nope", "TYPE_REFUSED"],
  ["a type named after a prototype key", record("__proto__", 1), "Unknown type: __proto__", "TYPE_REFUSED"],
  ["a type without a name", record("", 1), "Unknown type: ", "TYPE_REFUSED"],
  [
    "a type that is not allowed",
    record("Map", []),
    'Type "Map" is not allowed',
    "TYPE_REFUSED",
    { allowedTypes: ["Set"] },
  ],
  [
    "a type node that is not allowed",
    graph(ref("a"), { a: { kind: "type", type: "Map", value: [] } }),
    'Type "Map" is not allowed',
    "TYPE_REFUSED",
    { allowedTypes: [] },
  ],
  ["a type id of a megabyte", record("x".repeat(1e6), 1), `Unknown type: ${"x".repeat(200)}...`, "TYPE_REFUSED"],
  [
    "a reference of a megabyte",
    graph(ref("x".repeat(1e6)), {}),
    `Unresolved reference id "${"x".repeat(200)}..."`,
    "UNRESOLVED_REFERENCE",
  ],
  [
    "a reference to an inherited key",
    graph(ref("toString"), {}),
    'Unresolved reference id "toString"',
    "UNRESOLVED_REFERENCE",
  ],
  ["a reference to a hidden key", graph(ref("length"), []), 'Unresolved reference id "length"', "UNRESOLVED_REFERENCE"],
  [
    "a reference to a node called constructor",
    graph(ref("constructor"), { constructor: { kind: "array", value: [] } }),
    'Unresolved reference id "constructor"',
    "UNRESOLVED_REFERENCE",
  ],
  ["a null node", graph(ref("a"), { a: null }), 'Unresolved reference id "a"', "UNRESOLVED_REFERENCE"],
  ["a reference that is an object", graph(ref({}), {}), "Invalid object reference payload", "INVALID_PAYLOAD"],
  [
    "a reference beside data",
    graph({ __ref: "a", __type: "Date", value: 1 }, {}),
    "Invalid object reference payload",
    "INVALID_PAYLOAD",
  ],
  ["a node that is a number", graph(ref("a"), { a: 1 }), "Unsupported node kind", "INVALID_PAYLOAD"],
  [
    "an object node holding an array",
    graph(ref("a"), { a: { kind: "object", value: [] } }),
    "Invalid object node payload",
    "INVALID_PAYLOAD",
  ],
  [
    "an object node holding nothing",
    graph(ref("a"), { a: { kind: "object" } }),
    "Invalid object node payload",
    "INVALID_PAYLOAD",
  ],
  [
    "a type node without type",
    graph(ref("a"), { a: { kind: "type", value: 1 } }),
    "Unknown type: undefined",
    "TYPE_REFUSED",
  ],
  [
    "a date made of itself",
    graph(ref("a"), { a: { kind: "type", type: "Date", value: ref("a") } }),
    "Invalid Date payload",
    "INVALID_PAYLOAD",
  ],
  [
    "a map whose entries are itself",
    graph(ref("a"), { a: { kind: "type", type: "Map", value: ref("a") } }),
    "Invalid Map payload",
    "INVALID_PAYLOAD",
  ],
  [
    "many values made of one list",
    graph(
      Array.from({ length: 20_000 }, () => ({ __type: "Buffer", value: ref("a") })),
      { a: { kind: "array", value: Array.from({ length: 200_000 }, () => 0) } },
    ),
    "Invalid Buffer payload",
    "INVALID_PAYLOAD",
  ],
  [
    "errors that share their fields",
    graph(
      ["b", "c"].map((id) => ({ __type: "Error", value: ref(id) })),
      {
        a: { kind: "object", value: {} },
        b: { kind: "object", value: { name: "E", message: "m", customFields: ref("a") } },
        c: { kind: "object", value: { name: "E", message: "m", customFields: ref("a") } },
      },
    ),
    "Invalid Error payload",
    "INVALID_PAYLOAD",
  ],
  ["map entries that are no pairs", record("Map", [[1, 2], { 0: 1, 1: 2 }]), "Invalid Map payload", "INVALID_PAYLOAD"],
  ["a map entry of three", record("Map", [[1, 2, 3]]), "Invalid Map payload", "INVALID_PAYLOAD"],
  ["a set that is a string", record("Set", "abc"), "Invalid Set payload", "INVALID_PAYLOAD"],
  ["a date that is an object", record("Date", { valueOf: 1, toString: 1 }), "Invalid Date payload", "INVALID_PAYLOAD"],
  [
    "a date that is a symbol",
    record("Date", { __type: "Symbol", value: { kind: "For", key: "k" } }),
    "Invalid Date payload",
    "INVALID_PAYLOAD",
  ],
  ["a bigint with a line break", record("BigInt", "1\n2"), "Invalid bigint payload", "INVALID_PAYLOAD"],
  ["a symbol that is null", record("Symbol", null), "Invalid symbol payload", "INVALID_PAYLOAD"],
  [
    "a well-known symbol named after a property",
    record("Symbol", { kind: "WellKnown", key: "for" }),
    "Invalid symbol payload",
    "INVALID_PAYLOAD",
  ],
  [
    "an error whose name is no string",
    record("Error", { name: 1, message: "m" }),
    "Invalid Error payload",
    "INVALID_PAYLOAD",
  ],
  [
    "an error made of an error",
    record("Error", { __type: "Error", value: { name: "E", message: "m" } }),
    "Invalid Error payload",
    "INVALID_PAYLOAD",
  ],
  [
    "error fields that are a map",
    record("Error", { name: "E", message: "m", customFields: { __type: "Map", value: [] } }),
    "Invalid Error payload",
    "INVALID_PAYLOAD",
  ],
  [
    "an error stack that is null",
    record("Error", { name: "E", message: "m", stack: null }),
    "Invalid Error payload",
    "INVALID_PAYLOAD",
  ],
  ["an URL that is none", record("URL", "::"), "Invalid URL", "INVALID_PAYLOAD"],
  [
    "search parameters that are an object",
    record("URLSearchParams", {}),
    "Invalid URLSearchParams payload",
    "INVALID_PAYLOAD",
  ],
  ["bytes that are fractions", record("Uint8Array", [1.5]), "Invalid Uint8Array payload", "INVALID_PAYLOAD"],
  ["bytes that are negative", record("Buffer", [-1]), "Invalid Buffer payload", "INVALID_PAYLOAD"],
  ["bytes that are strings", record("ArrayBuffer", ["1"]), "Invalid ArrayBuffer payload", "INVALID_PAYLOAD"],
  [
    "bytes that are symbols",
    record("DataView", [{ __type: "Symbol", value: { kind: "For", key: "k" } }]),
    "Invalid DataView payload",
    "INVALID_PAYLOAD",
  ],
  [
    "bytes that are an object with a length",
    record("Int8Array", { length: 1e9 }),
    "Invalid Int8Array payload",
    "INVALID_PAYLOAD",
  ],
  ["half an element", record("Float64Array", [1, 2, 3]), "Invalid Float64Array payload", "INVALID_PAYLOAD"],
  [
    "a pattern too long",
    record("RegExp", { pattern: "a".repeat(1e6), flags: "" }),
    "RegExp pattern exceeds limit (1024)",
    "INVALID_PAYLOAD",
  ],
  [
    "a pattern that backtracks",
    record("RegExp", { pattern: "^(\\w+\\s?)*$", flags: "" }),
    "Unsafe RegExp pattern",
    "INVALID_PAYLOAD",
  ],
  ["a repeated flag", record("RegExp", { pattern: "a", flags: "gg" }), "Invalid RegExp flags", "INVALID_PAYLOAD"],
  [
    "a million flags",
    record("RegExp", { pattern: "a", flags: "g".repeat(1e6) }),
    "Invalid RegExp flags",
    "INVALID_PAYLOAD",
  ],
  [
    "flags that exclude each other",
    record("RegExp", { pattern: "a", flags: "uv" }),
    "Invalid RegExp payload",
    "INVALID_PAYLOAD",
  ],
];

describe("hostile text", () => {
  it.each(rows.map(([what, ...row]) => [what, row] as const))(
    "hostile text is refused: %s",
    (_what, [text, message, code, options]) => {
      const error = caught(() => new Serializer(options).parse(text));

      expect({ message: error.message, code: (error as { code?: unknown }).code }).toEqual({ message, code });
    },
  );

  it.each([
    [
      "at the root",
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"prototype":1,"kept":1}',
      { kept: 1 },
    ],
    ["spelled with escapes", '[{"\\u005f_proto__":{"polluted":1},"\\u0063onstructor":1}]', [{}]],
    ["behind the prefix", '{"$runner.escape::__proto__":{"polluted":1},"$runner.escape::constructor":1}', {}],
    [
      "in a graph node",
      '{"__graph":true,"root":{"__ref":"a"},"nodes":{"a":{"kind":"object","value":{"__proto__":{"polluted":1},"k":1}}}}',
      { k: 1 },
    ],
    ["in a plain object of a graph", '{"__graph":true,"root":{"__proto__":{"polluted":1},"k":1},"nodes":{}}', { k: 1 }],
    ["as the id of a node", '{"__graph":true,"root":1,"nodes":{"__proto__":{"polluted":1}}}', 1],
  ])("hostile text reaches no prototype: %s", (_where, text, expected) => {
    const value: unknown = new Serializer().parse(text);

    expect(value).toEqual(expected);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.getPrototypeOf(expected));
  });

  it("hostile text cannot replace what an error inherits", () => {
    const fields =
      '{"__proto__":{"polluted":1},"toString":"x","valueOf":"x","__defineGetter__":"x","message":"x","own":1}';
    const error = new Serializer().parse<Error>(
      `{"__type":"Error","value":{"name":"E","message":"m","customFields":${fields}}}`,
    );

    expect(Object.keys(error).sort()).toEqual(["name", "own"]);
    expect(error.message).toBe("m");
  });

  it("hostile text loses unknown content beside a record without looking at it", () => {
    const text = `{"a":{"__type":"Nope","value":1},"__type":"Date","value":0,"z":${"[".repeat(2000)}${"]".repeat(2000)}}`;

    expect(new Serializer().parse(text)).toEqual(new Date(0));
  });

  it("hostile text decodes a payload once, wherever its key stands", () => {
    const text = '{"value":[{"$runner.escape::$runner.escape::k":1}],"__type":"Set"}';

    expect(new Serializer().parse(text)).toEqual(new Set([{ "$runner.escape::k": 1 }]));
  });

  it("hostile text is no JSON: a SyntaxError", () => {
    for (const text of ["", "{", "undefined", "[1,]", '{"a":1}}']) {
      expect(caught(() => new Serializer().parse(text)).name).toBe("SyntaxError");
    }
  });
});

function chainOfNodes(length: number): string {
  const nodes: Record<string, unknown> = {};
  for (let id = 0; id < length; id += 1) nodes[`n${id}`] = { kind: "array", value: [ref(`n${id + 1}`)] };
  return graph(ref("n0"), nodes);
}

function caught(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected an error");
}
