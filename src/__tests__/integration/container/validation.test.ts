import { z } from "zod";
import { Errors, r, run, type Schema, type StandardSchema } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf, thrownBy } from "../../support/failures";

function parseNumber(value: unknown): number {
  if (typeof value !== "number") throw new Error("must be a number");
  return value + 1;
}
const parsing: Schema<number> = { parse: parseNumber };
const parsingLater = { parse: async (value: unknown) => parseNumber(value) } as unknown as Schema<number>;

/** A Standard Schema and nothing else. */
const standard = (validate: (value: unknown) => unknown): StandardSchema<number> => ({
  "~standard": { version: 1, vendor: "test", validate },
});
const issue = { message: "must be a number" };
const validating = standard((value) => (typeof value === "number" ? { value: value + 1 } : { issues: [issue] }));
const validatingLater = standard(async (value) =>
  typeof value === "number" ? { value: value + 1 } : { issues: [issue] },
);

const forms: readonly (readonly [string, Schema<number>])[] = [
  ["parse", parsing],
  ["Standard Schema", validating],
  ["parse that returns a promise", parsingLater],
  ["Standard Schema that is asynchronous", validatingLater],
];
const synchronous = forms.slice(0, 2);
const asynchronous = forms.slice(2);

describe.each(forms)("a schema with %s", (_form, schema) => {
  const inputs = r
    .task("inputs")
    .inputSchema(schema)
    .run(async (n) => n * 10)
    .build();
  const results = r
    .task("results")
    .resultSchema(schema)
    .run((async (n: unknown) => n) as () => Promise<number>)
    .build();
  const counted = r.event("counted").payloadSchema(schema).build();
  const heard: number[] = [];
  const hook = r
    .hook("hook")
    .on(counted)
    .run(async ({ data }) => void heard.push(data))
    .build();
  const value = (n: unknown) =>
    r
      .resource("value")
      .resultSchema(schema)
      .init((async () => n) as () => Promise<number>)
      .build();

  it("a schema of any form transforms task inputs, task results, payloads and resource values", async () => {
    const one = value(1);
    await using app = await run(appOf(inputs, results, counted, hook, one));
    heard.length = 0;

    await app.emitEvent(counted, 1);

    expect(await app.runTask(inputs, 1)).toBe(20);
    expect(await app.runTask("results", 1)).toBe(2);
    expect(app.getResourceValue(one)).toBe(2);
    expect(heard).toEqual([2]);
  });

  it("a schema of any form names subject and id when it refuses", async () => {
    await using app = await run(appOf(inputs, results, counted, hook));
    heard.length = 0;

    const failures = await Promise.all([
      rejectionOf(app.runTask("inputs", "x")),
      rejectionOf(app.runTask("results", "x")),
      rejectionOf(app.emitEvent("counted", "x")),
      rejectionOf(run(appOf(value("x")))),
    ]);

    expect(failures.map(({ message }) => message)).toEqual([
      "Task input validation failed for inputs: must be a number",
      "Task result validation failed for results: must be a number",
      "Event payload validation failed for counted: must be a number",
      "Resource result validation failed for value: must be a number",
    ]);
    expect(failures.every((failure) => Errors.validationError.is(failure))).toBe(true);
    expect(heard).toEqual([]);
  });
});

describe("a config schema", () => {
  const targets = (schema: Schema<number>) => ({
    "Resource config": () => r.resource("target").configSchema(schema).build(),
    "Middleware config": () =>
      r.middleware
        .task("target")
        .configSchema(schema)
        .run(async ({ next }) => next())
        .build(),
    "Tag config": () => r.tag("target").configSchema(schema).build(),
  });

  it.each(synchronous)("a config schema with %s is applied at .with(...), once", (_form, schema) => {
    for (const [subject, build] of Object.entries(targets(schema))) {
      const target = build();

      expect((target.with(1) as { config: unknown }).config).toBe(2);
      const error = thrownBy(() => target.with("x" as never));
      expect(Errors.validationError.is(error) && error.data).toMatchObject({ subject, id: "target" });
      expect(error.message).toBe(`${subject} validation failed for target: must be a number`);
    }
  });

  it.each(asynchronous)("a config schema with %s is refused: nothing can wait for it", (_form, schema) => {
    for (const [subject, build] of Object.entries(targets(schema))) {
      const error = thrownBy(() => build().with(1));

      expect(Errors.validationError.is(error) && error.data).toMatchObject({ subject, id: "target" });
      expect(error.message).toBe(
        `${subject} validation failed for target: the schema returned a promise; use a synchronous schema`,
      );
    }
  });

  it("a config schema is not applied to a bare registration", async () => {
    const strict = r
      .resource("strict")
      .configSchema(z.object({ a: z.number().optional() }).strict())
      .build();

    await using app = await run(appOf(strict));

    expect(app.getResourceConfig(strict)).toEqual({});
  });
});

describe("what a failed validation tells", () => {
  it("what a failed validation tells is the issues, their paths, and the original error as cause", async () => {
    const user = z.object({ name: z.string(), tags: z.array(z.number()) });
    const save = r
      .task("save")
      .inputSchema(user)
      .run(async () => "saved")
      .build();
    await using app = await run(appOf(save));

    const error = await rejectionOf(app.runTask("save", { name: 1, tags: [1, "x"] }));

    expect(Errors.validationError.is(error) && error.data.issues?.map(({ path }) => path)).toEqual([
      ["name"],
      ["tags", 1],
    ]);
    expect(error.cause).toBe(Errors.validationError.is(error) && error.data.originalError);
  });

  it("what a failed validation tells reads paths of Standard Schema, keys given as objects included", async () => {
    const located = { ...issue, path: ["deep", { key: 0 }] };
    const task = r
      .task("task")
      .inputSchema(standard(() => ({ issues: [located] })))
      .run(async () => 1)
      .build();
    await using app = await run(appOf(task));

    const error = await rejectionOf(app.runTask("task", "x"));

    expect(error.message).toBe("Task input validation failed for task: deep.0: must be a number");
    expect(Errors.validationError.is(error) && error.data.issues).toEqual([
      { path: ["deep", 0], message: "must be a number" },
    ]);
  });

  it("what a failed validation tells is one issue without path for any other failure, thrown values included", async () => {
    const task = r
      .task("task")
      .inputSchema({
        parse() {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- what schemas of others may do
          throw "nope";
        },
      })
      .run(async () => 1)
      .build();
    await using app = await run(appOf(task));

    const error = await rejectionOf(app.runTask("task", 1));

    expect(error.message).toBe("Task input validation failed for task: nope");
    expect(Errors.validationError.is(error) && error.data.issues).toEqual([{ path: [], message: "nope" }]);
  });
});

describe("a schema of both forms is used through ~standard", () => {
  const both = <T>(value: T): Schema<T> => ({ parse: () => "parsed" as never, ...standard(() => ({ value })) });

  it("a schema of both forms is used through ~standard for inputs, results, payloads, values, configs, contexts and error data", async () => {
    const schema = both("validated");
    const input = r
      .task("input")
      .inputSchema(schema)
      .run(async (given) => given)
      .build();
    const result = r
      .task("result")
      .resultSchema(schema)
      .run(async () => "raw")
      .build();
    const event = r.event("event").payloadSchema(schema).build();
    const heard: string[] = [];
    const hook = r
      .hook("hook")
      .on(event)
      .run(async ({ data }) => void heard.push(data))
      .build();
    const value = r
      .resource("value")
      .configSchema(schema)
      .resultSchema(schema)
      .init(async () => "raw")
      .build();
    const context = r.asyncContext<string>("context").configSchema(schema).build();
    const failed = r
      .error<{ n: number }>("failed")
      .dataSchema(both({ n: 2 }))
      .build();
    await using app = await run(appOf(input, result, event, hook, value.with("raw")));

    await app.emitEvent(event, "raw");

    expect([await app.runTask(input, "raw"), await app.runTask(result), heard, app.getResourceValue(value)]).toEqual([
      "validated",
      "validated",
      ["validated"],
      "validated",
    ]);
    expect(app.getResourceConfig(value)).toBe("validated");
    expect(context.provide("raw", () => context.use())).toBe("validated");
    expect(failed.create({ n: 1 }).data).toEqual({ n: 2 });
  });

  it("a schema of both forms is used through ~standard so an asynchronous refinement of zod works for what can be waited for, and refuses", async () => {
    const free = z.object({ name: z.string().refine(async (name) => name !== "taken", "is taken") });
    const ada = { name: "ada" };
    const taken = { name: "taken" };
    const echo = r
      .task("echo")
      .inputSchema(free)
      .resultSchema(free)
      .run(async (input) => input)
      .build();
    const result = r
      .task("result")
      .resultSchema(free)
      .run(async (input: unknown) => input as typeof ada)
      .build();
    const event = r.event("event").payloadSchema(free).build();
    const value = (given: typeof ada) =>
      r
        .resource("value")
        .resultSchema(free)
        .init(async () => given)
        .build();
    await using app = await run(appOf(echo, result, event, value(ada)));

    await app.emitEvent(event, ada);

    expect([await app.runTask(echo, ada), await app.runTask(result, ada)]).toEqual([ada, ada]);
    expect(app.getResourceValue("value")).toEqual(ada);
    const failures = await Promise.all([
      rejectionOf(app.runTask(echo, taken)),
      rejectionOf(app.runTask(result, taken)),
      rejectionOf(app.emitEvent(event, taken)),
      rejectionOf(run(appOf(value(taken)))),
    ]);
    expect(failures.map(({ message }) => message)).toEqual([
      "Task input validation failed for echo: name: is taken",
      "Task result validation failed for result: name: is taken",
      "Event payload validation failed for event: name: is taken",
      "Resource result validation failed for value: name: is taken",
    ]);
  });

  it("a schema of both forms is used through ~standard and is refused with a clear text where nothing can wait for its refinement", () => {
    const later = z.number().refine(async () => true);
    const configured = r.resource("configured").configSchema(later).build();

    expect(thrownBy(() => configured.with(1)).message).toBe(
      "Resource config validation failed for configured: the schema returned a promise; use a synchronous schema",
    );
  });
});

it("a failing input never reaches the task", async () => {
  const body = jest.fn(async () => 1);
  const task = r.task("task").inputSchema(parsing).run(body).build();
  await using app = await run(appOf(task));

  await rejectionOf(app.runTask("task", "x"));

  expect(body).not.toHaveBeenCalled();
});

describe("async context values and error data", () => {
  const context = r.asyncContext<number>("context").configSchema(parsing).build();
  const failed = r
    .error<{ n: number }>("failed")
    .dataSchema(z.object({ n: z.number() }))
    .build();

  it("async context values and error data are transformed", () => {
    expect(context.provide(1, () => context.use())).toBe(2);
    expect(failed.create({ n: 1 }).data).toEqual({ n: 1 });
  });

  it("async context values and error data fail with the schema's own error", () => {
    const work = jest.fn();

    expect(thrownBy(() => context.provide("x" as never, work)).message).toBe("must be a number");
    expect(work).not.toHaveBeenCalled();
    expect(thrownBy(() => failed.throw({ n: "x" as never }))).toMatchObject({
      issues: [{ path: ["n"] }],
      message: expect.stringMatching(/^n: /) as unknown,
    });
  });

  it("async context values and error data refuse schemas that return a promise", () => {
    const later = r.asyncContext<number>("later").configSchema(parsingLater).build();
    const failedLater = r
      .error<{ n: number }>("failedLater")
      .dataSchema(parsingLater as never)
      .build();

    expect(thrownBy(() => later.provide(1, () => 1)).message).toMatch(/returned a promise; use a synchronous schema$/);
    expect(thrownBy(() => failedLater.create({ n: 1 })).message).toMatch(
      /returned a promise; use a synchronous schema$/,
    );
  });
});
