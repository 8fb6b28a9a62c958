import { r } from "../../define/r";
import { Serializer } from "../../serializer/Serializer";
import { createContextReader } from "./readContexts";

const who = r.asyncContext<{ name: string }>("who").build();
const strict = r
  .asyncContext<number>("strict")
  .configSchema({
    parse(value: unknown) {
      if (typeof value !== "number") throw new Error("not a number");
      return value;
    },
  })
  .build();
const slow = r
  .asyncContext<number>("slow")
  .configSchema({ parse: async (value: number) => value } as never)
  .build();
const contexts = new Map([who, strict, slow].map((context) => [context.id, context]));
const read = createContextReader(contexts, new Serializer());

it("readContexts reads the contexts that are registered, each by its own hooks", () => {
  const slots = read(JSON.stringify({ who: '{"name":"ada"}', strict: "5" }));

  expect([...(slots ?? [])]).toEqual([
    ["who", { name: "ada" }],
    ["strict", 5],
  ]);
});

it.each<[string, string | undefined]>([
  ["no header", undefined],
  ["an empty header", ""],
  ["what is not JSON", "{bad"],
  ["null", "null"],
  ["a list", "[1]"],
  ["unknown ids", '{"other":"1"}'],
  ["entries that are not text", '{"who":{"name":"x"}}'],
  ["entries that cannot be parsed", '{"who":"{bad"}'],
  ["entries that the schema refuses", '{"strict":"\\"five\\""}'],
  ["entries whose schema would have to be waited for", '{"slow":"5"}'],
  ["names of the prototype", '{"__proto__":"1","constructor":"1"}'],
])("readContexts provides nothing for %s", (_what, header) => {
  expect(read(header)).toBe(undefined);
});

it("readContexts keeps good entries beside bad ones", () => {
  expect([...(read('{"who":"{bad","strict":"5"}') ?? [])]).toEqual([["strict", 5]]);
});

it("readContexts takes the first of several headers", () => {
  expect([...(read(['{"strict":"1"}', '{"strict":"2"}']) ?? [])]).toEqual([["strict", 1]]);
});
