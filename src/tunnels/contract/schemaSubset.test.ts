import { z } from "zod";
import type { Schema } from "../../lib/schema";
import { diffContracts, worstOf } from "./contractDiff";
import { lockContract } from "./contractLock";
import type { JsonSchema } from "./jsonSchema";
import { findMismatches } from "./schemaSubset";

interface Shape {
  readonly input?: Schema;
  readonly result?: Schema;
  readonly throws?: readonly string[];
}

const lockOf = ({ input, result, throws }: Shape) =>
  lockContract({ tasks: [{ id: "t", inputSchema: input, resultSchema: result, throws }], events: [] });

/** What `t` of the older side became. */
const judge = async (older: Shape, newer: Shape) => worstOf(diffContracts(await lockOf(older), await lockOf(newer)));

const text = z.string();

describe("A change of what callers give", () => {
  it.each<[string, Schema, Schema, string]>([
    ["an optional property more", z.object({ a: text }), z.object({ a: text, b: z.number().optional() }), "addition"],
    [
      "a property more that has a default",
      z.object({ a: text }),
      z.object({ a: text, b: z.number().default(1) }),
      "addition",
    ],
    ["a required property more", z.object({ a: text }), z.object({ a: text, b: z.number() }), "breaking"],
    ["a property that became required", z.object({ a: text.optional() }), z.object({ a: text }), "breaking"],
    ["a property that became optional", z.object({ a: text }), z.object({ a: text.optional() }), "addition"],
    ["another type", z.object({ a: text }), z.object({ a: z.number() }), "breaking"],
    ["a wider union", z.object({ a: text }), z.object({ a: z.union([text, z.number()]) }), "addition"],
    ["a narrower union", z.object({ a: z.union([text, z.number()]) }), z.object({ a: text }), "breaking"],
    ["a choice more", z.enum(["a"]), z.enum(["a", "b"]), "addition"],
    ["a choice less", z.enum(["a", "b"]), z.enum(["a"]), "breaking"],
    ["a choice that became any text", z.enum(["a"]), text, "addition"],
    ["a text that became a choice", text, z.enum(["a"]), "breaking"],
    ["a least value", z.number(), z.number().min(3), "breaking"],
    ["a least value that moved beyond its bound", z.number().min(3), z.number().gt(3), "breaking"],
    ["a bound that became inclusive", z.number().gt(3), z.number().min(3), "addition"],
    ["a greater length", text.max(3), text.max(9), "addition"],
    ["a smaller length", text.max(9), text.max(3), "breaking"],
    ["whole numbers that became any", z.int(), z.number(), "addition"],
    ["numbers that became whole", z.number(), z.int(), "breaking"],
    ["a pattern", text, text.regex(/^a/), "unknown"],
    ["a pattern that went", text.regex(/^a/), text, "addition"],
    ["further properties refused", z.object({ a: text, b: text.optional() }), z.strictObject({ a: text }), "breaking"],
    ["further properties refused, where all are known", z.object({ a: text }), z.strictObject({ a: text }), "breaking"],
    ["other items", z.array(text), z.array(z.number()), "breaking"],
    ["a longer tuple", z.tuple([text]), z.tuple([text, text]), "breaking"],
    ["null as well", text, text.nullable(), "addition"],
    ["a Date that became a text", z.date(), text, "breaking"],
    ["a bigint that became a Map", z.bigint(), z.map(text, text), "breaking"],
    ["documentation", text, text.describe("A name"), "same"],
    ["no schema any more", text, undefined as never, "addition"],
    ["a schema", undefined as never, text, "breaking"],
    ["a schema without words", text, { parse: (value: unknown) => value as string }, "unknown"],
    ["values of a record", z.record(text, z.number()), z.record(text, z.int()), "breaking"],
    [
      "an intersection with a part more",
      z.intersection(z.object({ a: text }), z.object({ b: text })),
      z.intersection(z.object({ a: text }), z.object({ b: text, c: text })),
      "breaking",
    ],
  ])("is judged: %s", async (_name, older, newer, level) => {
    expect(await judge({ input: older }, { input: newer })).toBe(level);
  });
});

describe("A change of what callers get", () => {
  it.each<[string, Schema, Schema, string]>([
    ["a property more", z.object({ a: text }), z.object({ a: text, b: z.number() }), "addition"],
    ["a property less", z.object({ a: text, b: z.number() }), z.object({ a: text }), "breaking"],
    ["an optional property less", z.object({ a: text, b: text.optional() }), z.object({ a: text }), "breaking"],
    ["a property that may be missing", z.object({ a: text }), z.object({ a: text.optional() }), "breaking"],
    ["a property that is always there", z.object({ a: text.optional() }), z.object({ a: text }), "addition"],
    ["null as well", text, text.nullable(), "breaking"],
    ["a choice more", z.enum(["a"]), z.enum(["a", "b"]), "breaking"],
    [
      "a property less further in",
      z.object({ x: z.object({ a: text.optional(), b: text }) }),
      z.object({ x: z.object({ b: text }) }),
      "breaking",
    ],
    ["further properties refused", z.looseObject({ a: text }), z.strictObject({ a: text }), "addition"],
    ["a schema", undefined as never, text, "addition"],
    ["no schema any more", text, undefined as never, "breaking"],
  ])("is judged: %s", async (_name, older, newer, level) => {
    expect(await judge({ result: older }, { result: newer })).toBe(level);
  });

  it("is judged: an error more, which adds, and one less, which callers do not see", async () => {
    expect(await judge({ throws: [] }, { throws: ["e"] })).toBe("addition");
    expect(await judge({ throws: ["e"] }, { throws: [] })).toBe("addition");
    expect(await judge({ throws: ["a", "b"] }, { throws: ["b", "a"] })).toBe("same");
  });
});

describe("A change of what streams", () => {
  interface Streamed {
    readonly streams?: true;
    readonly takesItems?: true;
    readonly itemSchema?: Schema;
    readonly itemInputSchema?: Schema;
  }
  const items = (itemSchema?: Schema): Streamed => ({ streams: true, ...(itemSchema && { itemSchema }) });
  const taken = (itemInputSchema?: Schema): Streamed => ({
    takesItems: true,
    ...(itemInputSchema && { itemInputSchema }),
  });
  const [row, longer] = [z.object({ a: text }), z.object({ a: text, b: text })];

  it.each<[string, Streamed, Streamed, string]>([
    ["a task that streams now", {}, items(row), "breaking"],
    ["a task that streams no longer", items(), {}, "breaking"],
    ["items with a property more", items(row), items(longer), "addition"],
    ["items with a property less", items(longer), items(row), "breaking"],
    ["items with a schema now", items(), items(row), "addition"],
    ["items without a schema any more", items(row), items(), "breaking"],
    ["a task that takes items now", {}, taken(row), "breaking"],
    ["a task that takes items no longer", taken(), {}, "breaking"],
    ["items of the caller that need a property more", taken(row), taken(longer), "breaking"],
    ["items of the caller that need a property less", taken(longer), taken(row), "addition"],
    ["items that stay", items(row), items(row.describe("A row")), "same"],
  ])("is judged: %s", async (_name, older, newer, level) => {
    const lock = (task: Streamed) => lockContract({ tasks: [{ id: "t", ...task }], events: [] });

    expect(worstOf(diffContracts(await lock(older), await lock(newer)))).toBe(level);
  });
});

describe("Schemas that refer to themselves", () => {
  interface Node {
    readonly value: string;
    readonly next?: Node | undefined;
  }
  const list = (value: Schema<string>): Schema<Node> => {
    const node: z.ZodType<Node> = z.lazy(() => z.object({ value: value as z.ZodType<string>, next: node.optional() }));
    return node;
  };

  it("are compared to their end", async () => {
    expect(await judge({ input: list(text) }, { input: list(text.describe("again")) })).toBe("same");
    expect(await judge({ input: list(text) }, { input: list(text.min(3)) })).toBe("breaking");
    expect(await judge({ input: list(text.min(3)) }, { input: list(text) })).toBe("addition");
  });

  it("are unknown where a reference is no text of a URL", () => {
    const found = findMismatches({ narrow: { $ref: "#/%E0%A4%A" }, wide: { $ref: "#" }, areResults: false });

    expect(found).toEqual([{ path: "/", message: "$ref changed, and is not followed", isUnknown: true }]);
  });

  it("are unknown where they refer to another document", () => {
    const [narrow, wide] = [{ $ref: "https://example.com/a" }, { $ref: "https://example.com/b" }];
    const found = findMismatches({ narrow, wide, areResults: false });

    expect(found).toEqual([{ path: "/", message: "$ref changed, and is not followed", isUnknown: true }]);
    expect(findMismatches({ narrow, wide: narrow, areResults: false })).toEqual([]);
  });
});

describe("What a comparison says", () => {
  it("is said once, however many alternatives it holds for", async () => {
    const either = (least: number) => ({
      anyOf: [
        { type: "string", minLength: least },
        { type: "string", minLength: least, pattern: "a" },
      ],
    });
    const lockOfInput = (input: object) => ({
      lock: 1 as const,
      hash: JSON.stringify(input),
      tasks: { t: { input: input as JsonSchema, throws: [], hash: JSON.stringify(input) } },
      events: {},
    });

    expect(diffContracts(lockOfInput(either(1)), lockOfInput({ type: "number" }))).toEqual([
      { level: "breaking", kind: "task", id: "t", message: "input /: string -> number" },
    ]);
  });

  it("names the place and what is different there", () => {
    const narrow = {
      type: "object",
      properties: { lines: { type: "array", items: { type: "object", properties: { price: { type: "number" } } } } },
    };
    const wide = {
      type: "object",
      required: ["lines"],
      properties: { lines: { type: "array", items: { type: "object", properties: { price: { type: "string" } } } } },
    };

    expect(findMismatches({ narrow, wide, areResults: false })).toEqual([
      { path: "/lines", message: "required", isUnknown: false },
      { path: "/lines/[]/price", message: "number -> string", isUnknown: false },
    ]);
  });

  it.each<[string, z.ZodType, z.ZodType, string]>([
    ["a type", z.number(), z.string(), "/: number -> string"],
    ["a choice more", z.enum(["a", "b"]), z.enum(["a", "b", "c"]), '/: may be "c" now'],
    ["a constant", z.literal("a"), z.string(), '/: only "a" -> string'],
    ["a bound", z.number().min(5), z.number().min(3), "/: minimum 5 -> 3"],
    ["a bound that is beside its values", z.number().gt(5), z.number(), "/: minimum beyond 5 -> none"],
    ["a length", z.string().max(5), z.string().max(9), "/: maxLength 5 -> 9"],
    ["a step", z.number().multipleOf(4), z.number().multipleOf(2), "/: multipleOf 4 -> 2"],
    [
      "a place more of a tuple",
      z.tuple([z.string()]),
      z.tuple([z.string(), z.string()]),
      "/1: allowed now, and was not",
    ],
    ["further properties", z.record(z.string(), z.string()), z.looseObject({}), "/*: string -> any"],
  ])("names of a result what was first, and then what is now: %s", async (_name, before, after, expected) => {
    const changes = diffContracts(await lockOf({ result: before }), await lockOf({ result: after }));

    expect(changes.map(({ message }) => message)).toContain(`result ${expected}`);
  });

  it("is that a keyword changed which the rules do not know", () => {
    const found = findMismatches({
      narrow: { type: "string" },
      wide: { type: "string", contentEncoding: "base64" },
      areResults: false,
    });

    expect(found).toEqual([{ path: "/", message: "contentEncoding changed", isUnknown: true }]);
  });

  it("is bounded in work for alternatives in alternatives, and in depth", () => {
    const nested = (leaf: string, depth: number): JsonSchema =>
      depth === 0
        ? { const: leaf }
        : {
            anyOf: Array.from({ length: 6 }, (_, index) => ({
              type: "object",
              properties: { [`p${index}`]: nested(leaf, depth - 1) },
              required: [`p${index}`],
            })),
          };
    const found = findMismatches({ narrow: nested("a", 5), wide: nested("b", 5), areResults: false });
    let deep: JsonSchema = { type: "string" };
    let other: JsonSchema = { type: "number" };
    for (let level = 0; level < 190; level += 1)
      [deep, other] = [
        { items: deep, type: "array" },
        { items: other, type: "array" },
      ];

    expect(found.length).toBeGreaterThan(0);
    expect(() => findMismatches({ narrow: deep, wide: other, areResults: false })).not.toThrow();
  });
});
