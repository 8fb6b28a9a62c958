import { thrownBy } from "../__tests__/support/failures";
import { isBeyondPlain, plainFormat } from "./plainFormat";
import { Serializer } from "./Serializer";

const plain = plainFormat(1_000_000);
const complete = new Serializer();

const nested = (depth: number, inner: unknown): unknown =>
  Array.from({ length: depth }).reduce((value) => ({ a: [value] }), inner);

it.each<[string, unknown]>([
  ["nested data", { a: [1, -0, 1.5, true, null, "x", { b: {} }], "": [] }],
  ["undefined", undefined],
  ["undefined fields, items and holes", { a: undefined, b: [undefined, , 1] }], // eslint-disable-line no-sparse-arrays
  ["dates", { at: new Date(0), all: [new Date("+123456-01-01")] }],
  ["objects without a prototype", Object.assign(Object.create(null) as object, { a: 1 })],
  ["keys that look like markers", { __typename: "User", __ref: "n0", $runnerFile: "File", value: 1 }],
  ["symbols as keys", { [Symbol.iterator]: 1, a: 2 }],
  ["keys that objects inherit", { toString: undefined, hasOwnProperty: 1 }],
])("the plain format writes and reads %s as serializers do", (_what, value) => {
  const text = complete.stringify(value);

  expect(plain.stringify(value)).toBe(text);
  expect(plain.parse(text)).toStrictEqual(complete.parse(text));
});

const loop: { self?: unknown } = {};
loop.self = loop;
const shared = Array.from({ length: 40 }).reduce<object>((inner) => ({ a: inner, b: inner }), {});

it.each<[string, unknown]>([
  ["other types", new Map()],
  ["other types inside", { list: [/a/] }],
  ["numbers that JSON has not", { n: NaN }],
  ["big integers", [1n]],
  ["functions", { f() {} }],
  ["classes", new (class Point {})()],
  ["classes that extend Date", new (class extends Date {})(0)],
  ["what has a toJSON", { toJSON: 1 }],
  ["lists that have a toJSON", Object.assign([1], { toJSON: () => 2 })],
  ["keys with a meaning", { __type: "Date", value: 0 }],
  ["keys of the graph format", { __graph: true }],
  ["keys that would be escaped", { "$runner.escape::a": 1 }],
  ["keys that reach a prototype", JSON.parse('{"__proto__":1}')],
  ["loops", loop],
  ["shared values, which take long", shared],
  ["deep values", nested(300, 1)],
  ["long texts", "x".repeat(1_000_000)],
  ["long lists", new Array(1_000_000)],
])("the plain format leaves the writing of %s to serializers", (_what, value) => {
  expect(isBeyondPlain(thrownBy(() => plain.stringify(value)))).toBe(true);
});

it.each([
  ["records of other types", '{"a":{"__type":"RegExp","value":{"pattern":"(a+)+","flags":""}}}'],
  ["records of unknown types", '{"__type":"Nope","value":1}'],
  ["records with more keys", '{"__type":"Date","value":0,"a":1}'],
  ["records of dates that hold none", '{"__type":"Date","value":{}}'],
  ["records of undefined that hold something", '{"__type":"Undefined","value":[]}'],
  ["markers that are spelled with escapes", '{"\\u005f_type":"Map","value":[]}'],
  ["the graph format", '{"__graph":true,"root":1,"nodes":{}}'],
  ["keys that reach a prototype", '[{"__proto__":{"polluted":true}}]'],
  ["deep texts", "[".repeat(600) + "]".repeat(600)],
  ["texts with more than a quarter of the characters that may be read", JSON.stringify("x".repeat(250_000))],
])("the plain format leaves the reading of %s to serializers", (_what, text) => {
  expect(isBeyondPlain(thrownBy(() => plain.parse(text)))).toBe(true);
});

it("the plain format leaves texts to serializers that may have more values than calls allow", () => {
  expect(isBeyondPlain(thrownBy(() => plainFormat(Infinity).parse(`[${"1,".repeat(1_000_000)}1]`)))).toBe(true);
});

it("the plain format fails with the error of the engine for what is not JSON, and for an invalid date", () => {
  expect(thrownBy(() => plain.parse("{"))).toBeInstanceOf(SyntaxError);
  expect(thrownBy(() => plain.stringify(new Date(NaN)))).toBeInstanceOf(RangeError);
});
