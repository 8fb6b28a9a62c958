import { globals, memoryIdempotencyStore, r, run } from "../../../node";
import { quiet } from "../../support/tunnelPair";

const times = { ttlMs: 86_400_000, leaseMs: 15_000 };
const hash = "a".repeat(64);

it("a memory store keeps the newest of 20,000 replies, within its bytes, and goes on", async () => {
  const [maxBytes, reply] = [8_388_608, "r".repeat(1_000)];
  const store = memoryIdempotencyStore({ maxBytes });
  const keyOf = (index: number): string => `["task",null,"key-${index}"]`;

  for (let index = 0; index < 20_000; index += 1) {
    await store.begin(keyOf(index), hash, times);
    await store.finish(keyOf(index), reply);
  }

  let kept = 0;
  for (let index = 19_999; index >= 0; index -= 1) {
    if ((await store.begin(keyOf(index), "other", { ...times, leaseMs: 1 })).state !== "conflict") break;
    kept += 1;
  }
  // A character takes two bytes at the most.
  expect(kept * 2 * reply.length).toBeLessThanOrEqual(maxBytes);
  expect(kept * 4 * reply.length).toBeGreaterThan(maxBytes);
});

it("3,000 distinct keys run once each, beyond what the store has room for", async () => {
  let runs = 0;
  const count = r
    .task("app.count")
    .tags([
      globals.tags.idempotent.with({
        key: (id: number) => `k${id}`,
        store: memoryIdempotencyStore({ maxBytes: 100_000 }),
      }),
    ])
    .run(async (id: number) => {
      runs += 1;
      return id;
    })
    .build();
  const root = r
    .resource("app")
    .register([count])
    .dependencies({ count })
    .init(async (_config: void, deps) => deps)
    .build();
  await using app = await run(root, { ...quiet, logs: { printThreshold: null } });

  for (let from = 0; from < 3_000; from += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, index) => app.value.count(from + index)));
  }
  const newest = await app.value.count(2_999);

  expect([runs, newest]).toEqual([3_000, 2_999]);
});

it("a key belongs to one task and one caller", async () => {
  const store = memoryIdempotencyStore();
  const seen: string[] = [];
  const watched = {
    ...store,
    begin: (key: string, ...rest: [string, typeof times]) => {
      seen.push(key);
      return store.begin(key, ...rest);
    },
  };
  const taskOf = (id: string) =>
    r
      .task(id)
      .tags([globals.tags.idempotent.with({ key: () => "same", store: watched })])
      .run(async () => id)
      .build();
  const [a, b] = [taskOf('app."a'), taskOf("app.b")];
  const root = r
    .resource("app")
    .register([a, b])
    .dependencies({ a, b })
    .init(async (_config: void, deps) => deps)
    .build();
  await using app = await run(root, { ...quiet, logs: { printThreshold: null } });

  expect([await app.value.a(), await app.value.b()]).toEqual(['app."a', "app.b"]);
  expect(new Set(seen).size).toBe(2);
});
