import { z } from "zod";
import { r } from "../../index";
import { diffContracts } from "./contractDiff";
import { lockContract, parseContractLock, printContractLock, type DescribedErrors } from "./contractLock";
import { openApiOf } from "./openApi";

const id = "shop.tasks.charge";
const poor = r
  .error("shop.errors.poor")
  .dataSchema(z.object({ missing: z.number() }))
  .httpCode(402)
  .build();
const closed = r.error("shop.errors.closed").httpCode(402).build();
const odd = r
  .error("shop.errors.odd")
  .dataSchema(z.object({ at: z.date() }))
  .build();
const bare = r.error("shop.errors.bare").build();
const unregistered = r
  .error("shop.errors.unregistered")
  .dataSchema(z.object({ secret: z.string() }))
  .build();

type Helper = typeof poor | typeof closed | typeof odd | typeof bare;
const known = (...helpers: readonly object[]): DescribedErrors =>
  new Map((helpers as readonly Helper[]).map((helper) => [helper.id, helper]));
const lockOf = (throws: readonly string[], errors: DescribedErrors) =>
  lockContract({ tasks: [{ id, throws, streams: true as const }], events: [], errors });
const all = [poor, closed, odd, bare, unregistered].map((helper) => helper.id);
const whole = () => lockOf(all, known(poor, closed, odd, bare));

describe("The contract of a task that declares errors", () => {
  it("has the ids of all, and what is known of those that the server has registered", async () => {
    const task = (await whole()).tasks[id];

    expect(task?.throws).toEqual([...all].sort());
    expect(task?.errors).toEqual({
      "shop.errors.poor": { data: expect.objectContaining({ required: ["missing"] }) as unknown, httpCode: 402 },
      "shop.errors.closed": { httpCode: 402 },
      "shop.errors.odd": {
        data: expect.objectContaining({
          properties: { at: { type: "string", format: "date-time", "x-runner": "Date" } },
        }) as unknown,
      },
    });
  });

  it("is what it was where nothing is known of them but their ids", async () => {
    const before = await lockContract({ tasks: [{ id, throws: all, streams: true as const }], events: [] });

    expect(await lockOf(all, known(bare))).toEqual(before);
    expect(before.tasks[id]).not.toHaveProperty("errors");
  });

  it("survives being written to a file and read again", async () => {
    const lock = await whole();

    expect(parseContractLock(JSON.parse(printContractLock(lock)))).toEqual(JSON.parse(JSON.stringify(lock)));
  });

  it.each<[string, unknown, string]>([
    ["errors that are no object", [], `tasks["${id}"].errors is no object`],
    ["an error that is no object", { e: 1 }, `tasks["${id}"].errors["e"] is no object`],
    ["data that is no schema", { e: { data: "text" } }, `tasks["${id}"].errors["e"].data is no JSON Schema`],
    ["a status that is none", { e: { httpCode: 99 } }, `tasks["${id}"].errors["e"].httpCode is no HTTP status`],
  ])("is refused where a file holds %s", (_name, errors, message) => {
    const value = { lock: 1, hash: "", tasks: { [id]: { hash: "", throws: [], errors } }, events: {} };

    expect(() => parseContractLock(value)).toThrow(message);
  });
});

describe("A change of a declared error", () => {
  const poorOf = (data: z.ZodType, httpCode = 402) =>
    known(
      r
        .error("shop.errors.poor")
        .dataSchema(data as z.ZodType<object>)
        .httpCode(httpCode)
        .build(),
    );
  const missing = z.object({ missing: z.number() });

  it.each<[string, DescribedErrors, DescribedErrors, string[]]>([
    [
      "data that lacks what it had",
      poorOf(missing),
      poorOf(z.object({})),
      ["breaking: data of shop.errors.poor /missing: removed"],
    ],
    [
      "data that is no longer promised",
      poorOf(missing),
      known(),
      ["breaking: data of shop.errors.poor /: object -> any", "unknown: status of shop.errors.poor: 402 -> 500"],
    ],
    [
      "data that has more",
      poorOf(missing),
      poorOf(missing.extend({ since: z.string() })),
      ["addition: changed in a way that callers do not see"],
    ],
    ["data that is described now", known(), poorOf(missing), ["addition: changed in a way that callers do not see"]],
    ["its status", poorOf(missing), poorOf(missing, 409), ["unknown: status of shop.errors.poor: 402 -> 409"]],
    ["its documentation", poorOf(missing), poorOf(missing.describe("How much")), []],
  ])("is judged as that of a result: %s", async (_name, before, after, expected) => {
    const changes = diffContracts(await lockOf([poor.id], before), await lockOf([poor.id], after));

    expect(changes.map(({ level, message }) => `${level}: ${message}`)).toEqual(expected);
  });

  it("is none where the task no longer declares it, and an addition where it does now", async () => {
    const [more, fewer] = [await lockOf(all, known(poor)), await lockOf([], known(poor))];

    expect(diffContracts(more, fewer)).toMatchObject([{ level: "addition" }]);
    expect(new Set(diffContracts(fewer, more).map(({ level }) => level))).toEqual(new Set(["addition"]));
  });

  it("is not mistaken for what every object has, where its id is a name of that kind", async () => {
    const lock = await lockOf(["constructor", poor.id], known(poor));

    expect(diffContracts(lock, { ...lock, tasks: { [id]: { ...lock.tasks[id]!, hash: "other" } } })).toMatchObject([
      { level: "addition" },
    ]);
  });
});

describe("An OpenAPI document of declared errors", () => {
  it("has a response for each of their statuses, a schema for each error, and the schemas in the lines of a stream", async () => {
    const document = openApiOf(await whole(), { title: "shop", url: "/" }) as {
      paths: Record<string, { post: { responses: Record<string, { description: string; content: object }> } }>;
      components: { schemas: Record<string, object> };
    };
    const { responses } = document.paths[`/task/${id}`]?.post ?? { responses: {} };
    const failureOf = (error: string) => ({ $ref: `#/components/schemas/${error}.failure` });
    const any = { $ref: "#/components/schemas/Failure" };

    expect(Object.keys(responses)).toEqual(["200", "402", "500", "default"]);
    expect(responses["402"]).toEqual({
      description: "Declared errors: shop.errors.closed, shop.errors.poor; or another failure.",
      content: { "application/json": { schema: { anyOf: [failureOf(closed.id), failureOf(poor.id), any] } } },
    });
    expect(responses["500"]).toMatchObject({
      content: { "application/json": { schema: { anyOf: [failureOf(odd.id), any] } } },
    });
    expect(document.components.schemas[`${poor.id}.failure`]).toMatchObject({
      required: ["ok", "error"],
      properties: {
        ok: { const: false },
        error: {
          required: ["code", "message", "id"],
          properties: { id: { const: poor.id }, httpCode: { const: 402 }, data: { required: ["missing"] } },
        },
      },
    });
    expect(document.components.schemas[`${odd.id}.failure`]).toMatchObject({
      properties: { error: { properties: { data: { properties: { at: { required: ["__type", "value"] } } } } } },
    });
    expect(JSON.stringify(responses["200"]?.content)).toContain(`"$ref":"#/components/schemas/${poor.id}.failure"`);
  });

  it("has each error once, however many tasks declare it", async () => {
    const tasks = ["a", "b"].map((task) => ({ id: task, throws: [poor.id] }));
    const document = openApiOf(await lockContract({ tasks, events: [], errors: known(poor) }), {
      title: "shop",
      url: "/",
    }) as { components: { schemas: object } };

    expect(Object.keys(document.components.schemas)).toEqual(["Failure", `${poor.id}.failure`]);
  });

  it("says nothing by status of an error whose status is none of a failure", async () => {
    const fine = r.error("shop.errors.fine").httpCode(200).build();
    const empty = r.error("shop.errors.empty").httpCode(204).build();
    const { paths } = openApiOf(await lockOf([fine.id, empty.id], known(fine, empty)), { title: "shop", url: "/" }) as {
      paths: Record<string, { post: { responses: object } }>;
    };

    expect(Object.keys(paths[`/task/${id}`]?.post.responses ?? {})).toEqual(["200", "500", "default"]);
  });
});
