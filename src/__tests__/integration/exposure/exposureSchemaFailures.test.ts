import assert from "node:assert";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { r, type IValidationSchema } from "../../../node/index";
import { startExposure, type TestExposure } from "../../support/exposure";

const opaque = '{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}';
const theme = r.asyncContext<string>("theme").build();
const typed = r.error<{ n: number }>("test.notAnInteger").build();

const parsing = (parse: (value: unknown) => unknown): IValidationSchema<unknown> => ({ parse });
const throwing = (error: unknown) =>
  parsing(() => {
    throw error;
  });

/** A task and an event whose schema is this one, both called at the same exposure. */
async function callBoth(schema: IValidationSchema<unknown>, use: (exposure: TestExposure) => Promise<void>) {
  const strict = r
    .task("strict")
    .inputSchema(schema)
    .run(async () => "never")
    .build();
  const noted = r.event("noted").payloadSchema(schema).build();
  await using exposure = await startExposure([strict, noted]);
  await use(exposure);
}

describe("A schema that fails by accident", () => {
  it.each<[string, IValidationSchema<unknown>]>([
    ["a missing file", parsing(() => readFileSync("/no/such/file"))],
    ["a TypeError", parsing((value) => (value as { a: { b: string } }).a.b)],
    ["a ReferenceError", throwing(new ReferenceError("x is not defined"))],
    ["a RangeError", parsing(() => "x".repeat(-1))],
    ["a SyntaxError", parsing(() => JSON.parse("{") as unknown)],
    ["a DOMException", parsing(() => atob("*"))],
    ["a code of Node", throwing(Object.assign(new Error("inside"), { code: "ERR_INVALID_STATE" }))],
    ["an AggregateError", throwing(new AggregateError([new Error("inside")], "inside"))],
    ["an error of the framework", parsing(() => theme.use())],
    ["an asynchronous one", parsing(async () => Promise.reject(new TypeError("inside")))],
  ])("A schema that fails by accident tells callers nothing and the log all of it: %s", async (_name, schema) => {
    await callBoth(schema, async ({ post, logs }) => {
      for (const path of ["task/strict", "event/noted"]) {
        const reply = await post(`/__runner/${path}`, '{"input":{},"payload":{}}');

        expect([reply.status, await reply.text()]).toEqual([500, opaque]);
        expect(logs.filter(({ message }) => message === `exposure.${path.split("/")[0]}.error`)).toHaveLength(1);
      }
    });
  });
});

describe("A schema that refuses a value", () => {
  it.each<[string, IValidationSchema<unknown>, string]>([
    ["with a plain error", throwing(new Error("too short")), "too short"],
    ["with text", throwing("too short"), "too short"],
    [
      "with an assertion",
      parsing((value) => {
        assert.ok(value === 1, "must be one");
      }),
      "must be one",
    ],
    ["with an error class of its own", throwing(Object.assign(new Error("no"), { name: "ValidationError" })), "no"],
    ["with a TypeError of a library", throwing(Object.assign(new TypeError("no"), { name: "StructError" })), "no"],
    ["with a typed error", throwing(typed.create({ n: 1 })), '{"n":1}'],
    ["with issues", throwing(Object.assign(new TypeError("x"), { issues: [{ path: [], message: "no" }] })), "no"],
    ["as zod does", z.number(), "Invalid input: expected number, received object"],
  ])("A schema that refuses a value tells callers what is wrong: %s", async (_name, schema, message) => {
    await callBoth(schema, async ({ post }) => {
      for (const path of ["task/strict", "event/noted"]) {
        const reply = await post(`/__runner/${path}`, '{"input":{},"payload":{}}');

        expect(reply.status).toBe(400);
        expect(await reply.json()).toMatchObject({
          error: { code: "VALIDATION_ERROR", data: { issues: [{ path: [], message }] } },
        });
      }
    });
  });
});
