import { createHttpMixedClient, globals, r } from "../../../node/index";
import { startExposure } from "../../support/exposure";
import { startFetchEdge } from "../../support/fetchEdge";

const add = r
  .task("open.add")
  .run(async ({ a, b }: { a: number; b: number }) => a + b)
  .build();
const secret = r
  .task("closed.secret")
  .run(async () => "secret")
  .build();
const seen: string[] = [];
const byPath = r
  .task("validators.byPath")
  .tags([globals.tags.authValidator])
  .run(async ({ path }) => {
    seen.push(path);
    return { ok: !path.includes("closed") };
  })
  .build();
const noTokens = { auth: {} };
const stated = { ...noTokens, limits: { batch: { lines: 8 } } };
const batchOf = (...ids: string[]): string =>
  ids.map((id, n) => `${n} /task/${id} {} {"input":{"a":1,"b":2}}\n`).join("");
const asBatch = { "content-type": "application/x-runner-batch" };

beforeEach(() => void (seen.length = 0));

describe.each([
  ["nodeExposure", startExposure],
  ["fetchExposure", startFetchEdge],
] as const)("batches where validators decide, at %s", (edge, start) => {
  it(`no batch is taken unless the configuration says so, at ${edge}`, async () => {
    await using server = await start([add, secret], noTokens, [byPath]);

    const reply = await server.post("/__runner/batch", batchOf(add.id, secret.id), asBatch);

    expect([reply.status, await reply.json()]).toEqual([
      404,
      { ok: false, error: { code: "NOT_FOUND", message: "Not Found" } },
    ]);
    expect(seen).toEqual([]);
  });

  it(`a batch is taken where the configuration says how many calls it may have, at ${edge}`, async () => {
    await using server = await start([add, secret], stated, [byPath]);

    const reply = await server.post("/__runner/batch", batchOf(add.id), asBatch);

    expect([reply.status, await reply.text()]).toEqual([200, '0 200 {"ok":true,"result":3}\n']);
    expect(seen).toEqual(["/__runner/batch"]);
  });
});

it("a client that batches has each call decided by its own path where validators decide", async () => {
  await using server = await startExposure([add, secret], noTokens, [byPath]);
  await using client = createHttpMixedClient({ baseUrl: `http://127.0.0.1:${server.port}/__runner`, batch: true });

  const [sum, refused] = await Promise.allSettled([client.task(add, { a: 1, b: 2 }), client.task(secret)]);

  expect(sum).toEqual({ status: "fulfilled", value: 3 });
  expect(refused).toMatchObject({ status: "rejected", reason: { code: "UNAUTHORIZED" } });
  expect(seen.sort()).toEqual(["/__runner/task/closed.secret", "/__runner/task/open.add"]);
});
