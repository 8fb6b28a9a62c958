import { snapshotOf } from "./snapshot";

it("a snapshot holds what a value held, whatever is done to the value afterwards", () => {
  const value = {
    list: [{ a: 1 }],
    at: new Date(0),
    map: new Map([["k", { b: 2 }]]),
    set: new Set<unknown>([[3]]),
  };

  const taken = snapshotOf(value);
  value.list[0]!.a = 9;
  value.list.push({ a: 10 });
  value.at.setTime(9);
  value.map.get("k")!.b = 9;
  value.map.clear();
  value.set.clear();

  expect(taken).toEqual({
    list: [{ a: 1 }],
    at: new Date(0),
    map: new Map([["k", { b: 2 }]]),
    set: new Set([[3]]),
  });
});

it("a snapshot shares what its value shares, and is a loop where that is one", () => {
  const inner = {};
  const value: Record<string, unknown> = { a: inner, b: inner };
  value["self"] = value;

  const taken = snapshotOf(value);

  expect(taken["self"]).toBe(taken);
  expect(taken["a"]).toBe(taken["b"]);
  expect(taken["a"]).not.toBe(inner);
});

it("a snapshot keeps everything else as it is", () => {
  const kept = [new Blob(["x"]), new Error("x"), new Uint8Array(1), /a/, new (class Point {})(), () => 1, 1n, "text"];

  expect(snapshotOf(kept).every((item, index) => item === kept[index])).toBe(true);
  expect(snapshotOf(JSON.parse('{"__proto__":{"a":1}}'))).toEqual(JSON.parse('{"__proto__":{"a":1}}'));
});
