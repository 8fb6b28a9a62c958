import {
  createHttpMixedClient,
  Errors,
  globals,
  memoryIdempotencyStore,
  nodeExposure,
  r,
  run,
  type IdempotencyStore,
} from "../../../node";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { stopTime } from "../../support/stopTime";
import { baseUrlOf, quiet } from "../../support/tunnelPair";

const soldOut = r.error<{ sku: string }>("shop.errors.soldOut").httpCode(409).build();

/** What the task below is asked for. */
interface Order {
  readonly sku: string;
  readonly count?: number;
}

/** Serves one task, which counts how often it runs. */
async function serve({ tag = globals.tags.idempotent.with({}), hold = async () => {} }: ServeOptions = {}) {
  const runs: string[] = [];
  const order = r
    .task("shop.order")
    .tags([tag])
    .run(async (input: Order, _dependencies, { signal }) => {
      runs.push(input.sku);
      await hold(signal);
      if (input.sku === "tea") throw soldOut.create({ sku: "tea" });
      if (input.sku === "bug") throw new Error("password=hunter2");
      return { id: runs.length, at: new Date(0) };
    })
    .build();
  const tokens = ["alice", "bob"].map((name) => ({ token: `token-of-${name}`, name }));
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { tokens }, drain: { quietMs: 0 } } });
  const tunnel = r.tunnel.server("shop.tunnel").tasks([order]).build();
  const root = r
    .resource("shop")
    .register([order, soldOut, tunnel, exposure])
    .dependencies({ order })
    .init(async (_config: void, deps) => deps)
    .build();
  const app = await run(root, { ...quiet, logs: { printThreshold: null } });
  const baseUrl = baseUrlOf(app.getResourceValue(nodeExposure));
  const clientOf = (name: string) =>
    createHttpMixedClient({
      baseUrl,
      auth: { token: `token-of-${name}` },
      errorRegistry: new Map([[soldOut.id, soldOut]]),
    });
  const [alice, bob] = [clientOf("alice"), clientOf("bob")];
  return {
    app,
    runs,
    alice,
    bob,
    post: (input: Order, headers: Readonly<Record<string, string>>) =>
      fetch(`${baseUrl}/task/shop.order`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-runner-token": "token-of-alice", ...headers },
        body: JSON.stringify({ input }),
      }),
    async [Symbol.asyncDispose]() {
      await Promise.all([alice.close(), bob.close()]);
      await app.dispose();
    },
  };
}

interface ServeOptions {
  readonly tag?: ReturnType<typeof globals.tags.idempotent.with>;
  readonly hold?: (signal: AbortSignal) => Promise<void>;
}

const key = { idempotencyKey: "order-1" };

it("a call with a key runs once, and later ones get its reply with x-runner-replayed", async () => {
  await using server = await serve();

  const first = await server.alice.task("shop.order", { sku: "pot" }, key);
  const second = await server.alice.task("shop.order", { sku: "pot" }, key);
  const replay = await server.post({ sku: "pot" }, { "x-runner-idempotency-key": "order-1" });

  expect([first, second]).toEqual([
    { id: 1, at: new Date(0) },
    { id: 1, at: new Date(0) },
  ]);
  expect(replay.headers.get("x-runner-replayed")).toBe("1");
  expect((await server.post({ sku: "pot" }, {})).headers.get("x-runner-replayed")).toBeNull();
  expect(server.runs).toEqual(["pot", "pot"]);
});

it("a call with a key gets a typed error again, and an opaque failure is forgotten", async () => {
  await using server = await serve();

  const errors = [
    await rejectionOf(server.alice.task("shop.order", { sku: "tea" }, key)),
    await rejectionOf(server.alice.task("shop.order", { sku: "tea" }, key)),
  ];
  for (let time = 0; time < 2; time++) {
    await rejectionOf(server.alice.task("shop.order", { sku: "bug" }, { idempotencyKey: "order-2" }));
  }

  expect(errors.map((error) => soldOut.is(error) && error.data)).toEqual([{ sku: "tea" }, { sku: "tea" }]);
  expect(server.runs).toEqual(["tea", "bug", "bug"]);
});

it("a key that comes with another input is a conflict, and of another caller another key", async () => {
  await using server = await serve();

  await server.alice.task("shop.order", { sku: "pot" }, key);
  const conflict = await rejectionOf(server.alice.task("shop.order", { sku: "pan" }, key));
  const refusal = await server.post({ sku: "pan" }, { "X-Runner-Idempotency-Key": "order-1" });
  await server.bob.task("shop.order", { sku: "pan" }, key);

  expect(Errors.idempotencyConflictError.is(conflict)).toBe(true);
  expect([refusal.status, await refusal.json()]).toMatchObject([422, { error: { code: "IDEMPOTENCY_CONFLICT" } }]);
  expect(server.runs).toEqual(["pot", "pan"]);
});

it("a call with a key that is under way is joined, and goes on while any of its callers waits", async () => {
  const [begun, go] = [createDeferred(), createDeferred()];
  let signalOfRun: AbortSignal | undefined;
  await using server = await serve({
    async hold(signal) {
      signalOfRun = signal;
      begun.resolve();
      await go.promise;
    },
  });
  const aborter = new AbortController();

  const first = rejectionOf(server.alice.task("shop.order", { sku: "pot" }, { ...key, signal: aborter.signal }));
  await begun.promise;
  const second = server.alice.task("shop.order", { sku: "pot" }, key);
  const late = rejectionOf(server.alice.task("shop.order", { sku: "pot" }, { ...key, timeoutMs: 50 }));
  await late;
  aborter.abort(new Error("enough"));
  await first;
  const isAborted = signalOfRun?.aborted;
  go.resolve();

  expect(await second).toEqual({ id: 1, at: new Date(0) });
  expect([isAborted, server.runs]).toEqual([false, ["pot"]]);
});

it.each([
  ["is empty", ""],
  ["is too long", "k".repeat(201)],
  ["holds a space", "a b"],
  ["is beyond ASCII", "\u00e9"],
])("a key that %s is refused with 400, and the task does not run", async (_what, wrong) => {
  await using server = await serve();

  const refusal = await server.post({ sku: "pot" }, { "x-runner-idempotency-key": wrong });

  expect([refusal.status, await refusal.json()]).toMatchObject([400, { error: { code: "IDEMPOTENCY_UNSUPPORTED" } }]);
  expect(server.runs).toEqual([]);
});

it("a tag makes the key from the input, for callers of this process and of others, and ranks above theirs", async () => {
  await using server = await serve({
    tag: globals.tags.idempotent.with({ key: ({ sku }: Order) => sku }),
  });
  const { order } = server.app.value;

  await order({ sku: "pot" });
  await order({ sku: "pot" });
  await server.alice.task("shop.order", { sku: "pot" }, { idempotencyKey: "x1" });
  await server.alice.task("shop.order", { sku: "pot" }, { idempotencyKey: "x2" });
  const replies = [await server.post({ sku: "pot" }, {}), await server.post({ sku: "pan" }, {})];

  // This process is a caller of its own.
  expect(server.runs).toEqual(["pot", "pot", "pan"]);
  expect(replies.map(({ headers }) => headers.get("x-runner-replayed"))).toEqual(["1", null]);
});

it("a store that is down refuses calls with 503, and the task does not run", async () => {
  const store: IdempotencyStore = {
    ...memoryIdempotencyStore(),
    begin: () => Promise.reject(new Error("connection refused")),
  };
  await using server = await serve({ tag: globals.tags.idempotent.with({ store }) });

  const refusal = await server.post({ sku: "pot" }, { "x-runner-idempotency-key": "order-1" });

  expect([refusal.status, await refusal.json()]).toMatchObject([503, { error: { code: "IDEMPOTENCY_UNAVAILABLE" } }]);
  expect(server.runs).toEqual([]);
});

it("a reply larger than the store keeps is lost for later calls, and the task does not run again", async () => {
  const store = { ...memoryIdempotencyStore(), maxReplyChars: 10 };
  await using server = await serve({ tag: globals.tags.idempotent.with({ store }) });

  await server.alice.task("shop.order", { sku: "pot" }, key);
  const lost = await rejectionOf(server.alice.task("shop.order", { sku: "pot" }, key));

  expect(Errors.idempotencyReplyLostError.is(lost)).toBe(true);
  expect(server.runs).toEqual(["pot"]);
});

it("a limit that refused a call with a key is not its reply: a repetition runs", async () => {
  let runs = 0;
  const order = r
    .task("shop.order")
    .tags([globals.tags.idempotent.with({ key: (sku: string) => sku })])
    .middleware([globals.middleware.task.rateLimit.with({ windowMs: 200, max: 1 })])
    .run(async (sku: string) => {
      runs += 1;
      return sku;
    })
    .build();
  const root = r
    .resource("shop")
    .register([order])
    .dependencies({ order })
    .init(async (_config: void, deps) => deps)
    .build();
  await using app = await run(root, { ...quiet, logs: { printThreshold: null } });

  using time = stopTime();

  await app.value.order("pot");
  const refusal = await rejectionOf(app.value.order("pan"));
  time.advance(201);
  const reply = await app.value.order("pan");

  expect(Errors.rateLimitError.is(refusal)).toBe(true);
  expect([reply, runs]).toEqual(["pan", 2]);
});

it("more than 1,000 calls that wait for one with their key are refused with IDEMPOTENCY_BUSY", async () => {
  const go = createDeferred();
  const tag = globals.tags.idempotent.with({ key: ({ sku }: Order) => sku });
  await using server = await serve({ tag, hold: () => go.promise });
  const { order } = server.app.value;

  const calls = Array.from({ length: 1_000 }, () => order({ sku: "pot" }));
  const refusal = await rejectionOf(order({ sku: "pot" }));
  go.resolve();
  const replies = await Promise.all(calls);

  expect(Errors.idempotencyBusyError.is(refusal) && refusal.data).toEqual({ taskId: "shop.order", limit: 1_000 });
  expect([new Set(replies.map(({ id }) => id)), server.runs]).toEqual([new Set([1]), ["pot"]]);
});

it.each([
  [{ leaseMs: 0 }, "leaseMs must be a number of milliseconds"],
  [{ ttlMs: "1d" }, "ttlMs must be a number of milliseconds"],
  [{ key: "id" }, "key must be a function"],
  [{ store: "memory" }, "store must be an IdempotencyStore"],
])("the tag refuses %j as its config", (config, message) => {
  expect(() => globals.tags.idempotent.with(config as never)).toThrow(message);
});
