import { z } from "zod";
import {
  createExposureFetch,
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  globals,
  r,
  Serializer,
} from "../../../node/index";
import { formHeaders, formOf, startExposure, type TestExposure } from "../../support/exposure";
import { startFetchEdge } from "../../support/fetchEdge";
import { startPeer, type HttpPeer } from "../../support/httpPeer";

/** Short texts that mean far more than they are, in requests and in replies. */

const serializer = new Serializer();
const numbered = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_each, i) => make(i));
const row = numbered(3000, (index) => `item ${index}`);
const table = numbered(4000, () => row);
const long = { text: "x".repeat(500_000) };
const texts = numbered(400, () => long);
const collidingKeys = numbered(5000, (index) => BigInt(index + 1) << 64n);

/** A value inside what a body holds it in, in graph format: shared parts are written once. */
const graphOf = (key: string, value: unknown): string => serializer.serialize({ [key]: value });

const hostile: readonly (readonly [what: string, value: unknown])[] = [
  ["one row referred to by thousands of references", table],
  ["one long text referred to by hundreds of references", texts],
  ["keys that share a hash", new Set(collidingKeys)],
  ["keys that share a hash, in a map", new Map(collidingKeys.map((key) => [key, 1]))],
  ["a big integer of very many digits", BigInt("7".repeat(200_000))],
  ["a regular expression that never ends", /^(\w|\d)+$/],
];

const seen: unknown[] = [];
const strict = r
  .task("strict")
  .inputSchema(z.unknown().transform((value) => seen.push(value)))
  .run(async (input) => input)
  .build();
const noted = r.event("noted").build();
const results: Record<string, () => unknown> = {
  sparse: () => Object.assign([], { 30_000_000: 1 }),
  long: () => Object.assign([], { length: 4_000_000_000 }),
  shared: () => ({ nested: texts }),
  rows: () => new Map([["rows", table]]),
  buffer: () => Buffer.alloc(100_000_000),
  arrayBuffer: () => ({ bytes: new ArrayBuffer(1_000_000_000) }),
  bigint: () => [2n ** 3_000_000n],
};
const produce = r
  .task("produce")
  .run(async (input: unknown) => results[String(input)]?.())
  .build();
const changed = r.event<{ what: string; made?: unknown }>("changed").build();
const changing = r
  .hook("changing")
  .on(changed)
  .run(async ({ data }) => void (data.made = results[data.what]?.()))
  .build();

describe.each([
  ["nodeExposure", startExposure],
  ["fetchExposure", startFetchEdge],
] as const)("short texts that mean far more than they are, at %s", (edge, start) => {
  const title = (what: string): string => `${what}, at ${edge}`;
  let exposure: Pick<TestExposure, "app" | "logs" | "post">;
  beforeAll(async () => {
    exposure = await start([strict, produce, noted, changed], {}, [changing]);
  });
  afterAll(() => exposure.app.dispose());

  it.each(hostile)(
    title("a request that means far more than it is is a bad request before anything looks at it: %s"),
    async (_what, value) => {
      seen.length = 0;

      const statuses = await Promise.all([
        exposure.post("/__runner/task/strict", graphOf("input", value)),
        exposure.post("/__runner/event/noted", graphOf("payload", value)),
        exposure.post("/__runner/event/noted", graphOf("payload", { nested: [value] })),
        exposure.post(
          "/__runner/task/strict",
          formOf({ name: "__manifest", content: graphOf("input", value) }),
          formHeaders,
        ),
      ]);

      expect(statuses.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
      expect(seen).toEqual([]);
    },
  );

  it(title("a request that means far more than it is is as large as the largest JSON body lets it be"), async () => {
    await using small = await start([strict], { limits: { json: { maxSize: 10_000 } } });
    const shared = { text: "x".repeat(5000) };
    const list = numbered(40, () => shared);

    const reply = await small.post("/__runner/task/strict", graphOf("input", list));
    const reply2 = await exposure.post("/__runner/task/strict", graphOf("input", list));

    expect([reply.status, reply2.status]).toEqual([400, 200]);
  });

  it(
    title(
      "a request that means far more than it is is served by an application whose serializer has limits of its own",
    ),
    async () => {
      const generous = globals.resources.serializer;
      const root = r
        .override(generous)
        .init(async () => new Serializer({ maxValues: Infinity, maxChars: Infinity }))
        .build();
      await using open = await start([strict], {}, [r.resource("overriding").overrides([root]).build()]);

      const reply = await open.post("/__runner/task/strict", graphOf("input", table.slice(0, 400)));

      expect(reply.status).toBe(200);
    },
  );

  it.each(Object.keys(results))(
    title("a result that means far more than it is fails before it is written, with the reason in the log: %s"),
    async (what) => {
      const logged = exposure.logs.length;

      const task = await exposure.post("/__runner/task/produce", JSON.stringify({ input: what }));
      const event = await exposure.post(
        "/__runner/event/changed",
        JSON.stringify({ payload: { what }, returnPayload: true }),
      );

      expect([task.status, event.status]).toEqual([500, 500]);
      const told = exposure.logs.slice(logged).map(({ data }) => String(data?.["error"]));
      expect(told).toHaveLength(2);
      expect(told.every((text) => /^Cannot serialize more than (1000000 values|33554432 characters)/.test(text))).toBe(
        true,
      );
    },
  );
});

describe("a reply that means far more than it is", () => {
  const clients = {
    universal: createHttpClient,
    exposureFetch: createExposureFetch,
    smart: createHttpSmartClient,
    mixed: createHttpMixedClient,
  };
  let peer: HttpPeer;
  let reply = "";
  beforeAll(async () => {
    peer = await startPeer((_request, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end(reply),
    );
  });
  afterAll(() => peer[Symbol.asyncDispose]());

  it.each(hostile)(
    "a reply that means far more than it is is refused with the serializer's error by every client: %s",
    async (_what, value) => {
      reply = serializer.serialize({ ok: true, result: value });

      for (const create of Object.values(clients)) {
        await using client = create({ baseUrl: peer.baseUrl });
        const code = expect.stringMatching(/^(TREE_TOO_LARGE|INVALID_PAYLOAD)$/) as string;
        await expect(client.task("any", 1)).rejects.toMatchObject({ code });
        await expect(client.eventWithResult("any", 1)).rejects.toMatchObject({ code });
      }
    },
  );

  it("a reply that means far more than it is is refused likewise by clients that use the run's serializer", async () => {
    await using exposure = await startExposure([strict]);
    reply = serializer.serialize({ ok: true, result: table });

    for (const name of ["httpClientFactory", "httpSmartClientFactory", "httpMixedClientFactory"] as const) {
      const client = exposure.app.getResourceValue(globals.resources[name])({ baseUrl: peer.baseUrl });
      await expect(client.task("any", 1)).rejects.toMatchObject({ code: "TREE_TOO_LARGE" });
    }
  });

  it("a reply that means far more than it is may be a large one that means what it is", async () => {
    const rows = numbered(20_000, (index) => ({ index, at: new Date(index), text: `row ${index}, and some words` }));
    reply = serializer.stringify({ ok: true, result: rows });

    for (const create of Object.values(clients)) {
      await using client = create({ baseUrl: peer.baseUrl });
      expect(await client.task<unknown, unknown[]>("any", 1)).toHaveLength(20_000);
    }
  });
});

describe("a context that means far more than it is", () => {
  it("a context that means far more than it is is left out, as what cannot be read", async () => {
    const rows = r.asyncContext<unknown>("rows").build();
    const read = r
      .task("read")
      .run(async () => {
        try {
          return rows.use();
        } catch {
          return "none";
        }
      })
      .build();
    await using server = await startExposure([read], {}, [rows]);
    const small = numbered(40, (index) => index);
    const contextOf = (value: unknown): string => JSON.stringify({ rows: serializer.serialize(value) });
    const call = async (value: unknown): Promise<unknown> => {
      const headers = { "x-runner-context": contextOf(value) };
      return (await server.post("/__runner/task/read", "{}", headers)).json();
    };

    expect(await call(small)).toEqual({ ok: true, result: small });
    expect(await call(share(small, 60))).toEqual({ ok: true, result: "none" });
  });
});

/** A value under so many levels of lists of two that are the same. */
function share(value: unknown, levels: number): unknown {
  return numbered(levels, () => 0).reduce<unknown>((inner) => [inner, inner], value);
}
