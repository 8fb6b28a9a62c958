import { startProgram } from "./support/project";

interface Printed {
  readonly outcomes: Record<string, unknown>;
  readonly refused: string;
  readonly lock: { readonly tasks: Record<string, { readonly input: object }> };
  readonly openapi: { readonly paths: Record<string, object> };
}

let printed: Printed;
beforeAll(async () => {
  await using program = startProgram([process.execPath, "schemas.mjs"]);
  printed = JSON.parse(await program.line(/^(\{.*\})$/)) as Printed;
  expect(await program.ended).toBe(0);
}, 60_000);

const described = ["zod", "arktype", "valibot", "effect"] as const;

it.each([...described, "undescribed", "tagged"])(
  "a task with a schema of %s validates what its callers give",
  (name) => {
    expect(printed.outcomes[name]).toEqual({ doubled: 42, code: "VALIDATION_ERROR" });
  },
);

it.each(described)("a contract lock and an OpenAPI document describe a schema of %s", (name) => {
  const shape = {
    type: "object",
    required: ["amount"],
    properties: { amount: { type: "number" }, note: { type: "string" } },
  };

  expect(printed.lock.tasks[`app.${name}`]?.input).toMatchObject(shape);
  expect(printed.openapi.paths[`/task/app.${name}`]).toMatchObject({
    post: { requestBody: { content: { "application/json": { schema: { properties: { input: shape } } } } } },
  });
});

it("a contract lock tags what JSON cannot hold, and says which schema has no description", () => {
  expect(printed.lock.tasks["app.tagged"]?.input).toMatchObject({
    properties: {
      at: { type: "string", format: "date-time", "x-runner": "Date" },
      big: { "x-runner": "BigInt" },
      map: { "x-runner": "Map" },
    },
  });
  expect(printed.lock.tasks["app.undescribed"]?.input).toEqual({ "x-runner": "unknown" });
});

it("a schema of effect that only describes is refused with what makes it validate", () => {
  expect(printed.refused).toContain("fix: wrap it in Schema.toStandardSchemaV1 first");
});
