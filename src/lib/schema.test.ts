import { compileSchema, compileSyncSchema, isSchema, SchemaIssuesError, type StandardSchema } from "./schema";

const standard = (validate: (value: unknown) => unknown): StandardSchema => ({
  "~standard": { version: 1, vendor: "test", validate },
});

describe("compileSchema", () => {
  it("compileSchema calls parse on the schema it belongs to", () => {
    class Doubling {
      readonly factor = 2;
      parse(value: number): number {
        return value * this.factor;
      }
    }

    expect(compileSchema(new Doubling())(4)).toBe(8);
  });

  it("compileSchema returns the value of a Standard Schema, or throws its issues", () => {
    const parse = compileSchema(
      standard((value) => (value === 1 ? { value: "one" } : { issues: [{ message: "no" }] })),
    );

    expect(parse(1)).toBe("one");
    expect(() => parse(2)).toThrow(new SchemaIssuesError([{ message: "no" }]));
  });

  it("compileSchema gives a promise for a Standard Schema that is asynchronous", async () => {
    const parse = compileSchema(standard(async (value) => (value === 1 ? { value } : { issues: [{ message: "no" }] })));

    await expect(parse(1)).resolves.toBe(1);
    await expect(parse(2)).rejects.toBeInstanceOf(SchemaIssuesError);
  });

  it("compileSchema takes a function that carries a schema, as some libraries make them", () => {
    const callable = Object.assign(
      () => undefined,
      standard(() => ({ value: 1 })),
    );

    expect(compileSchema(callable)("x")).toBe(1);
  });
});

describe("compileSyncSchema", () => {
  it("compileSyncSchema refuses a promise, and ignores its failure", async () => {
    const parse = compileSyncSchema(standard(() => Promise.reject(new Error("late"))));

    expect(() => parse(1)).toThrow(new Error("the schema returned a promise; use a synchronous schema"));
    await new Promise(setImmediate);
  });

  it("compileSyncSchema throws what it is told to", () => {
    const parse = compileSyncSchema({ parse: async () => 1 }, (cause) => new TypeError("told", { cause }));

    expect(() => parse(1)).toThrow(TypeError);
  });
});

describe("isSchema", () => {
  it.each<[unknown, boolean]>([
    [{ parse: () => 1 }, true],
    [standard(() => ({ value: 1 })), true],
    [Object.assign(() => 1, { parse: () => 1 }), true],
    [{ validate: () => 1 }, false],
    [() => 1, false],
    [{ "~standard": {} }, false],
    [null, false],
    ["schema", false],
  ])("isSchema says of %p: %s", (value, expected) => {
    expect(isSchema(value)).toBe(expected);
  });
});
