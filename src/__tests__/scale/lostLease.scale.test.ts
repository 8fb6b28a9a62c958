import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteIdempotencyStore } from "../../../examples/scale/sqlite-store/sqliteStore";
import { Errors, globals, r, run, type IdempotencyStore } from "../../node";
import { createDeferred } from "../support/deferred";
import { rejectionOf } from "../support/failures";
import { quiet } from "../support/tunnelPair";

const soldOut = r.error<{ sku: string }>("shop.errors.soldOut").build();

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "runner-lost-lease-"))));
afterAll(() => rm(folder, { recursive: true, force: true }));

type Body = (sku: string, signal: AbortSignal) => Promise<string>;

/** A server with a store of its own over a file that all share. */
async function serve(body: Body, { over = {}, leaseMs = 60_000 }: ServeOptions = {}) {
  const shared = sqliteIdempotencyStore({ path: join(folder, "replies.db") });
  const store: IdempotencyStore = { ...shared, ...over };
  let runs = 0;
  const order = r
    .task("shop.order")
    .tags([globals.tags.idempotent.with({ key: (sku: string) => sku, store, leaseMs })])
    .run(async (sku: string, _dependencies, { signal }) => {
      runs += 1;
      return body(sku, signal);
    })
    .build();
  const root = r
    .resource("shop")
    .register([order, soldOut])
    .dependencies({ order })
    .init(async (_config: void, deps) => deps)
    .build();
  const app = await run(root, { ...quiet, logs: { printThreshold: null } });
  return {
    order: app.value.order,
    shared,
    get runs() {
      return runs;
    },
    async [Symbol.asyncDispose]() {
      await app.dispose();
      shared[Symbol.dispose]();
    },
  };
}

interface ServeOptions {
  readonly over?: Partial<IdempotencyStore>;
  readonly leaseMs?: number;
}

/** What a server that stands still does: it renews nothing. */
const stalled = { leaseMs: 20, over: { renew: () => new Promise<boolean>(() => {}) } };

it("a run whose key went to another server gets the reply of that one, and does not replace it", async () => {
  const [begun, go] = [createDeferred(), createDeferred()];
  await using first = await serve(async () => {
    begun.resolve();
    await go.promise;
    return "of the first";
  }, stalled);
  await using second = await serve(async () => "of the second");

  const reply = first.order("a");
  await begun.promise;
  const taken = await second.order("a");
  go.resolve();

  expect([taken, await reply]).toEqual(["of the second", "of the second"]);
  expect([await first.order("a"), await second.order("a")]).toEqual(["of the second", "of the second"]);
  expect([first.runs, second.runs]).toEqual([1, 1]);
});

it("a run whose key went to another server is aborted once its renewal is refused, and its caller waits for the other", async () => {
  const [begun, aborted, go] = [createDeferred(), createDeferred<unknown>(), createDeferred()];
  let isHeldUp = true;
  await using first = await serve(
    (_sku, signal) => {
      begun.resolve();
      signal.addEventListener("abort", () => aborted.resolve(signal.reason));
      return new Promise(() => {});
    },
    {
      leaseMs: 20,
      over: { renew: async (key) => isHeldUp || first.shared.renew(key) },
    },
  );
  await using second = await serve(async () => {
    await go.promise;
    return "of the second";
  });

  const reply = first.order("b");
  await begun.promise;
  const taken = second.order("b");
  while (second.runs === 0) await new Promise(setImmediate);
  isHeldUp = false;
  const reason = await aborted.promise;
  go.resolve();

  expect(Errors.idempotencyLeaseLostError.is(reason)).toBe(true);
  expect([await taken, await reply]).toEqual(["of the second", "of the second"]);
});

it("a run whose key went to another server that gave it up fails with IDEMPOTENCY_LEASE_LOST, and a repetition runs", async () => {
  const [begun, go] = [createDeferred(), createDeferred()];
  await using first = await serve(async () => {
    begun.resolve();
    await go.promise;
    return "of the first";
  }, stalled);
  await using second = await serve(async () => {
    throw new Error("out of memory");
  });

  const failure = rejectionOf(first.order("c"));
  await begun.promise;
  await rejectionOf(second.order("c"));
  go.resolve();
  const lost = await failure;

  expect(Errors.idempotencyLeaseLostError.is(lost) && [lost.data, lost.httpCode]).toEqual([
    { taskId: "shop.order" },
    503,
  ]);
  expect(await first.order("c")).toBe("of the first");
});

it("a run that takes longer than its lease keeps its key, since it is renewed", async () => {
  const go = createDeferred();
  let renewals = 0;
  await using first = await serve(
    async () => {
      await go.promise;
      return "of the first";
    },
    {
      leaseMs: 1_000,
      over: {
        renew(key) {
          renewals += 1;
          if (renewals === 4) go.resolve();
          return first.shared.renew(key);
        },
      },
    },
  );
  await using second = await serve(async () => "of the second");

  const reply = first.order("d");
  while (renewals === 0) await new Promise(setImmediate);
  const waited = second.order("d");

  expect([await reply, await waited]).toEqual(["of the first", "of the first"]);
  expect(second.runs).toBe(0);
});

it("a reply that the store did not take is offered again, so that the task does not run once more", async () => {
  let offers = 0;
  const kept = createDeferred();
  await using first = await serve(async () => "of the first", {
    leaseMs: 30,
    over: {
      async finish(key, reply) {
        offers += 1;
        if (offers < 3) throw new Error("connection reset");
        const isKept = await first.shared.finish(key, reply);
        kept.resolve();
        return isKept;
      },
    },
  });
  await using second = await serve(async () => "of the second");

  const [reply, again] = [await first.order("e"), await first.order("e")];
  await kept.promise;

  expect([reply, again, await second.order("e")]).toEqual(["of the first", "of the first", "of the first"]);
  expect([first.runs, second.runs]).toEqual([1, 0]);
});
