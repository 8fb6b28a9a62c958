import { z } from "zod";
import { diffContracts } from "./contractDiff";
import { lockContract, parseContractLock, printContractLock } from "./contractLock";
import { openApiOf } from "./openApi";

const id = "shop.events.placed";
const schema = z.object({ amount: z.number(), currency: z.string().default("EUR") });
type Access = "emit" | "subscribe";

const lockOf = (access: readonly Access[], payloadSchema: z.ZodType | undefined = schema) => {
  const event = { id, payloadSchema };
  return lockContract({
    tasks: [],
    events: access.includes("emit") ? [event] : [],
    subscribable: access.includes("subscribe") ? [event] : [],
  });
};
const entryOf = async (...access: Access[]) => (await lockOf(access)).events[id];

describe("The contract of an event", () => {
  it("has the payload that callers emit, and says nothing of access where they may do nothing else", async () => {
    const entry = await entryOf("emit");

    expect(entry).toMatchObject({ payload: { required: ["amount"] } });
    expect(Object.keys(entry ?? {})).toEqual(["payload", "hash"]);
  });

  it("has the payload that callers hear, its defaults filled in, where they may only subscribe", async () => {
    const entry = await entryOf("subscribe");

    expect(entry).toMatchObject({ access: ["subscribe"], payload: { required: ["amount", "currency"] } });
    expect(entry).not.toHaveProperty("heard");
  });

  it("has both where callers may do both", async () => {
    const entry = await entryOf("emit", "subscribe");

    expect(entry).toMatchObject({
      access: ["emit", "subscribe"],
      payload: { required: ["amount"] },
      heard: { required: ["amount", "currency"] },
    });
  });

  it("has another hash for each access, also without a schema", async () => {
    const all: (readonly Access[])[] = [["emit"], ["subscribe"], ["emit", "subscribe"]];
    const hashes = await Promise.all(all.map(async (access) => (await lockOf(access, undefined)).events[id]?.hash));

    expect(new Set(hashes).size).toBe(3);
  });

  it("survives being written to a file and read again", async () => {
    const lock = await lockOf(["emit", "subscribe"]);

    expect(parseContractLock(JSON.parse(printContractLock(lock)))).toEqual(JSON.parse(JSON.stringify(lock)));
  });

  it.each<[string, object, string]>([
    ["access that is no list", { access: "emit" }, `events["${id}"].access is no list of "emit" and "subscribe"`],
    ["access without anything", { access: [] }, `events["${id}"].access is no list`],
    ["access to something else", { access: ["emit", "own"] }, `events["${id}"].access is no list`],
    ["a payload heard that is no schema", { heard: 1 }, `events["${id}"].heard is no JSON Schema`],
  ])("is refused where a file holds %s", (_name, entry, message) => {
    const value = { lock: 1, hash: "", tasks: {}, events: { [id]: { hash: "", ...entry } } };

    expect(() => parseContractLock(value)).toThrow(message);
  });
});

describe("A change of an event", () => {
  const more = z.object({ amount: z.number(), currency: z.string().default("EUR"), note: z.string() });
  const less = z.object({ amount: z.number() });

  it.each<[string, readonly Access[], z.ZodType, readonly Access[], z.ZodType, readonly string[]]>([
    ["a property more that callers must emit", ["emit"], schema, ["emit"], more, ["breaking: payload /note: required"]],
    [
      "a property more that they hear",
      ["subscribe"],
      schema,
      ["subscribe"],
      more,
      ["addition: changed in a way that callers do not see"],
    ],
    [
      "a property less that they emit",
      ["emit"],
      schema,
      ["emit"],
      less,
      ["addition: changed in a way that callers do not see"],
    ],
    [
      "a property less that they hear",
      ["subscribe"],
      schema,
      ["subscribe"],
      less,
      ["breaking: heard payload /currency: removed"],
    ],
    [
      "a property more of an event that they emit and hear",
      ["emit", "subscribe"],
      schema,
      ["emit", "subscribe"],
      more,
      ["breaking: payload /note: required"],
    ],
    [
      "a property less of an event that they emit and hear",
      ["emit", "subscribe"],
      schema,
      ["emit", "subscribe"],
      less,
      ["breaking: heard payload /currency: removed"],
    ],
    [
      "subscribing, which is new",
      ["emit"],
      schema,
      ["emit", "subscribe"],
      schema,
      ["addition: may be listened to now"],
    ],
    [
      "emitting, which is refused now",
      ["emit", "subscribe"],
      schema,
      ["subscribe"],
      schema,
      ["breaking: may no longer be emitted"],
    ],
    [
      "the direction",
      ["emit"],
      schema,
      ["subscribe"],
      schema,
      ["breaking: may no longer be emitted", "addition: may be listened to now"],
    ],
    [
      "subscribing, which is refused now",
      ["emit", "subscribe"],
      schema,
      ["emit"],
      schema,
      ["breaking: may no longer be listened to"],
    ],
  ])("is judged by what callers do with it: %s", async (_name, before, older, after, newer, expected) => {
    const changes = diffContracts(await lockOf(before, older), await lockOf(after, newer));

    expect(changes.map(({ level, message }) => `${level}: ${message}`).sort()).toEqual([...expected].sort());
    for (const change of changes) expect(change).toMatchObject({ kind: "event", id });
  });

  it("is judged against a file that was written before events could be listened to", async () => {
    const { payload, hash } = (await entryOf("emit")) ?? { hash: "" };
    const older = parseContractLock({ lock: 1, hash: "h", tasks: {}, events: { [id]: { payload, hash } } });

    expect(diffContracts(older, await lockOf(["emit"]))).toEqual([]);
    expect(diffContracts(older, await lockOf(["emit", "subscribe"]))).toMatchObject([{ level: "addition" }]);
  });
});

describe("An OpenAPI document of events", () => {
  const documentOf = async (...access: Access[]) =>
    openApiOf(await lockOf(access), { title: "shop", url: "/" }) as { paths: Record<string, object> };

  it("has one path for all that may be listened to, whose lines name the event that they are of", async () => {
    const { paths } = await documentOf("subscribe");

    expect(Object.keys(paths)).toEqual(["/subscribe"]);
    expect(paths["/subscribe"]).toMatchObject({
      post: {
        operationId: "subscribe",
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: {
                required: ["input"],
                properties: { input: { required: ["events"], properties: { events: { items: { enum: [id] } } } } },
              },
            },
          },
        },
        responses: { default: { $ref: "#/components/responses/Failure" } },
      },
    });
    const { responses } = (paths["/subscribe"] as { post: { responses: Record<string, { content: object }> } }).post;
    const lines = responses["200"]?.content as Record<string, { schema: { anyOf: Record<string, object>[] } }>;
    const anyOf = lines["application/x-runner-items+ndjson"]?.schema.anyOf ?? [];

    expect(anyOf.map(({ properties, $ref }) => Object.keys(properties ?? { $ref }))).toEqual([
      ["open"],
      ["event", "id", "item"],
      ["gap"],
      ["path"],
      ["ok"],
      ["$ref"],
    ]);
    expect(anyOf[1]).toMatchObject({
      required: ["event", "id"],
      properties: { event: { const: id }, item: { required: ["amount", "currency"] } },
    });
  });

  it("has the path of an event that may be emitted alone, and both where both are allowed", async () => {
    expect(Object.keys((await documentOf("emit")).paths)).toEqual([`/event/${id}`]);
    expect(Object.keys((await documentOf("emit", "subscribe")).paths)).toEqual([`/event/${id}`, "/subscribe"]);
  });
});
