import { expectTypeOf } from "expect-type";
import {
  createHttpClient,
  Errors,
  globals,
  memoryIdempotencyStore,
  r,
  type IdempotencyEntry,
  type IdempotencyStore,
  type TaskCallOptions,
} from "../../index";
import { natsIdempotencyStore } from "../../node/nats";

// The key of a call, by callers of this process and of others.
const charge = r
  .task("billing.charge")
  .run(async (orderId: string) => orderId)
  .build();
r.task("app.checkout")
  .dependencies({ charge })
  .run(async (_: void, deps) => {
    expectTypeOf(await deps.charge("o1", { idempotencyKey: "o1" })).toEqualTypeOf<string>();
    // @ts-expect-error -- a key is text
    await deps.charge("o1", { idempotencyKey: 1 });
  });
expectTypeOf<TaskCallOptions["idempotencyKey"]>().toEqualTypeOf<string | undefined>();
const client = createHttpClient({ baseUrl: "http://x" });
expectTypeOf(client.task(charge, "o1", { idempotencyKey: "o1" })).toEqualTypeOf<Promise<string>>();
// @ts-expect-error -- a key is text
void client.task(charge, "o1", { idempotencyKey: 1 });

// What the tag takes.
globals.tags.idempotent.with({});
globals.tags.idempotent.with({ key: (orderId: string) => orderId, ttlMs: 1_000, leaseMs: 1_000 });
globals.tags.idempotent.with({ store: memoryIdempotencyStore({ maxBytes: 1_000_000 }) });
globals.tags.idempotent.with({ store: natsIdempotencyStore });
// @ts-expect-error -- a key is text
globals.tags.idempotent.with({ key: (orderId: number) => orderId });
// @ts-expect-error -- milliseconds are a number
globals.tags.idempotent.with({ leaseMs: "15s" });
// @ts-expect-error -- a resource of something else
globals.tags.idempotent.with({ store: globals.resources.logger });

// A store of one's own: `finish` may say that the key is lost, or nothing.
const own: IdempotencyStore = {
  begin: async (_key, _inputHash, { ttlMs, leaseMs }) => {
    expectTypeOf([ttlMs, leaseMs]).toEqualTypeOf<number[]>();
    return { state: "done", reply: "" };
  },
  renew: async () => true,
  finish: async () => {},
  abandon: async () => {},
};
const saying: IdempotencyStore = { ...own, finish: async () => false };
void saying;
expectTypeOf<IdempotencyEntry["state"]>().toEqualTypeOf<"new" | "running" | "done" | "conflict">();
// @ts-expect-error -- there is no such state
const wrong: IdempotencyStore = { ...own, begin: async () => ({ state: "free" }) };
// @ts-expect-error -- whether the key is still held
const silent: IdempotencyStore = { ...own, renew: async () => {} };

// What calls with a key fail with.
const thrown: unknown = undefined;
if (Errors.idempotencyLeaseLostError.is(thrown)) expectTypeOf(thrown.data.taskId).toBeString();
if (Errors.idempotencyBusyError.is(thrown)) expectTypeOf(thrown.data.limit).toBeNumber();
