import { asBytes, describeKind } from "./bytes";

describe("asBytes", () => {
  it("asBytes leaves bytes as they are, without a copy", () => {
    const bytes = Buffer.from("ab");

    expect(asBytes(bytes)).toBe(bytes);
  });

  it.each<[string, unknown, number[]]>([
    ["text", "é", [0xc3, 0xa9]],
    ["an empty text", "", []],
    ["a part of a buffer", new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 2), [2, 3]],
    ["another view", new Uint16Array([0x0101]), [1, 1]],
    ["a whole buffer", new Uint8Array([7]).buffer, [7]],
  ])("asBytes makes bytes of %s", (_what, piece, expected) => {
    expect([...(asBytes(piece) ?? [])]).toEqual(expected);
  });

  it.each([[null], [undefined], [1], [{}], [["a"]], [true], [new Date(0)]])("asBytes makes nothing of %p", (piece) => {
    expect(asBytes(piece)).toBeUndefined();
  });
});

it.each<[unknown, string]>([
  [{}, "an object"],
  [Object.create(null), "an object"],
  [[1], "an array"],
  [1, "a number"],
  [null, "null"],
  [undefined, "undefined"],
  [new Map(), "a Map"],
  [new Error("x"), "an Error"],
  [1n, "a bigint"],
])("describeKind calls %p %s", (value, expected) => {
  expect(describeKind(value)).toBe(expected);
});
