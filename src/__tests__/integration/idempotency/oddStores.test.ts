import { Errors, globals, memoryIdempotencyStore, r, run, type IdempotencyStore } from "../../../node";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { quiet } from "../../support/tunnelPair";

/** A run with one task over a store, which counts how often the task runs. */
async function serve(store: object, more: object = {}, hold: () => Promise<void> = async () => {}) {
  const runs: string[] = [];
  const order = r
    .task("shop.order")
    .tags([globals.tags.idempotent.with({ key: (sku: string) => sku, store: store as IdempotencyStore, ...more })])
    .run(async (sku: string, _dependencies, { signal }) => {
      runs.push(sku);
      await hold();
      return `${sku} ${signal.aborted ? "aborted" : "made"}`;
    })
    .build();
  const root = r
    .resource("shop")
    .register([order])
    .dependencies({ order })
    .init(async (_config: void, deps) => deps)
    .build();
  const app = await run(root, { ...quiet, logs: { printThreshold: null } });
  return { runs, order: app.value.order, [Symbol.asyncDispose]: () => app.dispose() };
}

it.each([
  ["nothing", undefined],
  ["no object", "new"],
  ["a state that does not exist", { state: "weird" }],
  ["no state", {}],
  ["a reply that is no text", { state: "done", reply: { ok: true } }],
])("a store that answers %s is taken for one that is down, and the task does not run", async (_what, answer) => {
  await using server = await serve({ ...memoryIdempotencyStore(), begin: async () => answer });

  const refusal = await rejectionOf(server.order("pot"));

  expect(Errors.idempotencyUnavailableError.is(refusal)).toBe(true);
  expect(server.runs).toEqual([]);
});

it.each([
  ["resolves to nothing", async () => undefined],
  ["returns no promise", () => true],
  [
    "throws at once",
    () => {
      throw new Error("connection lost");
    },
  ],
])("a key whose renewal %s is held on", async (_what, answer) => {
  const go = createDeferred();
  let renewals = 0;
  const renew = () => {
    renewals += 1;
    if (renewals === 3) go.resolve();
    return answer();
  };
  await using server = await serve({ ...memoryIdempotencyStore(), renew }, { leaseMs: 15 }, () => go.promise);

  expect(await server.order("pot")).toBe("pot made");
  expect(server.runs).toEqual(["pot"]);
});

it("a lease that is longer than a timer can hold is not renewed without rest", async () => {
  let renewals = 0;
  const store = { ...memoryIdempotencyStore(), renew: async () => (renewals += 1) > 0 };
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
  await using server = await serve(store, { leaseMs: 90 * 86_400_000 }, pause);

  await server.order("pot");

  expect(renewals).toBe(0);
});
