import { z } from "zod";
import { lockContract, parseContractLock, printContractLock } from "./contractLock";
import { openApiOf } from "./openApi";

const tree: z.ZodType<unknown> = z.lazy(() => z.object({ name: z.string(), children: z.array(tree) }));
const tasks = [
  {
    id: "shop.tasks.charge",
    inputSchema: z.object({ amount: z.number(), currency: z.string().default("EUR"), at: z.date() }),
    resultSchema: z.object({ receipt: z.string(), total: z.bigint() }),
    throws: ["shop.errors.poor", "shop.errors.closed"],
  },
  { id: "shop.tasks.anything" },
  { id: "shop.tasks.old", inputSchema: { parse: (value: unknown) => value } },
  { id: "shop.tasks.tree", inputSchema: tree },
  { id: "shop.tasks.rows", streams: true as const, itemSchema: z.object({ row: z.int() }) },
  { id: "shop.tasks.ticks", streams: true as const },
  { id: "shop.tasks.import", takesItems: true as const, itemInputSchema: z.object({ row: z.int().default(1) }) },
];
const events = [{ id: "shop.events.charged", payloadSchema: z.object({ amount: z.number() }) }];

describe("A contract lock", () => {
  it("describes what callers give and get, and says what it cannot describe", async () => {
    const lock = await lockContract({ tasks, events });

    expect(Object.keys(lock.tasks)).toEqual([...tasks.map(({ id }) => id)].sort());
    expect(lock.tasks["shop.tasks.charge"]).toMatchObject({
      input: {
        type: "object",
        required: ["amount", "at"],
        properties: {
          amount: { type: "number" },
          currency: { type: "string", default: "EUR" },
          at: { type: "string", format: "date-time", "x-runner": "Date" },
        },
      },
      result: { required: ["receipt", "total"], properties: { total: { "x-runner": "BigInt" } } },
      throws: ["shop.errors.closed", "shop.errors.poor"],
    });
    expect(lock.tasks["shop.tasks.anything"]).toEqual({ throws: [], hash: expect.stringMatching(/^[\w-]{16}$/) });
    expect(lock.tasks["shop.tasks.old"]).toMatchObject({ input: { "x-runner": "unknown" } });
    expect(lock.tasks["shop.tasks.rows"]).toMatchObject({ items: { properties: { row: { type: "integer" } } } });
    expect(lock.tasks["shop.tasks.ticks"]).toMatchObject({ items: true });
    expect(lock.tasks["shop.tasks.import"]).toMatchObject({ itemInput: { properties: { row: { default: 1 } } } });
    expect(lock.events["shop.events.charged"]).toMatchObject({ payload: { required: ["amount"] } });
  });

  it("is the same text and the same hash, whatever the order of registration and the documentation", async () => {
    const documented = tasks.map((task) =>
      task.id === "shop.tasks.charge" ? { ...task, resultSchema: tasks[0]?.resultSchema?.describe("A receipt") } : task,
    );
    const [one, other] = await Promise.all([
      lockContract({ tasks, events }),
      lockContract({ tasks: [...documented].reverse(), events }),
    ]);
    const undocumented = await lockContract({ tasks: [...tasks].reverse(), events });

    expect(other.hash).toBe(one.hash);
    expect(printContractLock(undocumented)).toBe(printContractLock(one));
    expect(printContractLock(one)).toMatch(/^{\n {2}"events": /);
    expect((await lockContract({ tasks: tasks.slice(1), events })).hash).not.toBe(one.hash);
  });

  it("survives being written to a file and read again", async () => {
    const lock = await lockContract({ tasks, events });

    expect(parseContractLock(JSON.parse(printContractLock(lock)))).toEqual(JSON.parse(JSON.stringify(lock)));
  });

  const deep = JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`) as unknown;
  it.each<[string, unknown, string]>([
    ["no object", [], '"lock": 1 is missing'],
    ["another version", { lock: 2 }, '"lock": 1 is missing'],
    ["no tasks", { lock: 1, hash: "", events: {} }, '"tasks" is no object'],
    ["no events", { lock: 1, hash: "", tasks: {} }, '"events" is no object'],
    ["a task without a hash", { lock: 1, hash: "", tasks: { a: {} }, events: {} }, 'tasks["a"] has no "hash"'],
    [
      "a schema that is none",
      { lock: 1, hash: "", tasks: { a: { hash: "", throws: [], input: "text" } }, events: {} },
      'tasks["a"].input is no JSON Schema',
    ],
    [
      "errors that are no ids",
      { lock: 1, hash: "", tasks: { a: { hash: "", throws: [1] } }, events: {} },
      'tasks["a"].throws is no list of error ids',
    ],
    [
      "a depth beyond all schemas",
      { lock: 1, hash: "", tasks: { a: { hash: "", throws: [], input: { enum: deep } } }, events: {} },
      "nested deeper than 200 levels",
    ],
  ])("is refused where a file holds %s", (_name, value, message) => {
    expect(() => parseContractLock(value)).toThrow(message);
  });
});

describe("An OpenAPI document of a contract", () => {
  it("has a POST for each task and event, its values as the serializer writes them", async () => {
    const contract = await lockContract({ tasks, events });
    const url = "https://api.example.com/__runner";
    const document = openApiOf(contract, { title: "shop", url, tokenHeader: "x-runner-token" });

    expect(document).toMatchObject({
      openapi: "3.1.0",
      info: { title: "shop", version: contract.hash },
      servers: [{ url }],
      security: [{ token: [] }],
      paths: {
        "/task/shop.tasks.charge": {
          post: {
            operationId: "task:shop.tasks.charge",
            description: "Declared errors: shop.errors.closed, shop.errors.poor.",
            requestBody: {
              content: {
                "application/json": {
                  schema: {
                    properties: {
                      input: {
                        properties: {
                          at: {
                            type: "object",
                            required: ["__type", "value"],
                            properties: {
                              __type: { const: "Date" },
                              value: { type: "string", format: "date-time" },
                            },
                          },
                        },
                      },
                    },
                  },
                },
              },
            },
          },
        },
        "/event/shop.events.charged": {
          post: {
            requestBody: {
              content: { "application/json": { schema: { properties: { payload: { required: ["amount"] } } } } },
            },
          },
        },
      },
    });
  });

  it("has the lines of tasks that stream, and of those that take items", async () => {
    const { paths } = openApiOf(await lockContract({ tasks, events: [] }), { title: "shop", url: "/" }) as {
      paths: Record<string, object>;
    };
    const lines = (anyOf: readonly object[]) => ({ "application/x-runner-items+ndjson": { schema: { anyOf } } });

    expect(paths["/task/shop.tasks.rows"]).toMatchObject({
      post: {
        requestBody: { content: { "application/json": {} } },
        responses: {
          200: {
            content: lines([
              { required: ["item"], properties: { item: { properties: { row: { type: "integer" } } } } },
              { required: ["ok"], properties: { ok: { const: true } } },
              { $ref: "#/components/schemas/Failure" },
            ]),
          },
        },
      },
    });
    expect(paths["/task/shop.tasks.import"]).toMatchObject({
      post: {
        requestBody: {
          content: lines([
            { type: "object" },
            { required: ["item"], properties: { item: { properties: { row: { default: 1 } } } } },
            { required: ["ok"] },
          ]),
        },
        responses: { 200: { content: { "application/json": {} } } },
      },
    });
  });

  it("leaves a reference as it is whose text is no URL", () => {
    const input = { type: "object", properties: { a: { $ref: "#/%E0%A4%A" } } };
    const contract = { lock: 1 as const, hash: "h", tasks: { t: { input, throws: [], hash: "h" } }, events: {} };

    expect(JSON.stringify(openApiOf(contract, { title: "shop", url: "/" }))).toContain('"$ref":"#/%E0%A4%A"');
  });

  it("keeps a schema that refers to itself among its components, and every reference has its target", async () => {
    const contract = await lockContract({ tasks, events: [] });
    const document = openApiOf(contract, { title: "shop", url: "/" });
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      ([, path]) => path as string,
    );
    const find = (path: string): unknown =>
      path.split("/").reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document);

    expect(references.filter((path) => path.includes("shop.tasks.tree")).length).toBeGreaterThan(1);
    for (const path of references) expect(find(path)).toBeDefined();
  });
});
