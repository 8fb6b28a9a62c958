import { Readable } from "node:stream";
import {
  createHttpMixedClient,
  createHttpSmartClient,
  createNodeFile,
  type definitions as types,
  Errors,
  globals,
  nodeExposure,
  r,
  run,
  type RegisterableItems,
  type TaskCallOptions,
} from "../../../node";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { stopTime } from "../../support/stopTime";
import { baseUrlOf, quiet } from "../../support/tunnelPair";

const silent = { ...quiet, logs: { printThreshold: null } } as const;

/** A root whose value is what it depends on. */
const rootWith = <D extends types.DependencyMap>(items: readonly RegisterableItems[], dependencies: D) =>
  r
    .resource("app")
    .register(items)
    .dependencies(dependencies)
    .init(async (_config: void, deps) => deps)
    .build();

/** Tasks that count how often they run. */
function createTasks() {
  const runs: string[] = [];
  const charge = r
    .task("billing.charge")
    .run(async (id: string) => `${id} ${runs.push(id)}`)
    .build();
  const rows = r
    .task("billing.rows")
    .stream(async function* (id: string) {
      runs.push(id);
      yield id;
    })
    .build();
  const sum = r
    .task("billing.sum")
    .itemInput<number>()
    .run(async (id: string, _dependencies, { items }) => {
      for await (const item of items) runs.push(`${id} ${item}`);
    })
    .build();
  const store = r
    .task("billing.store")
    .run(async (input: { file: unknown }) => String(runs.push(typeof input.file)))
    .build();
  const tagged = r
    .task("billing.tagged")
    .tags([globals.tags.idempotent.with({ key: () => "always" })])
    .run(async (input: { file: unknown }) => String(runs.push(typeof input.file)))
    .build();
  return { runs, charge, rows, sum, store, tagged };
}

/** A server of those tasks, and an application whose calls are routed to it. */
async function startPair() {
  const { runs, charge, rows, sum, store, tagged } = createTasks();
  const served = [charge, rows, sum, store, tagged];
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token: "t" }, drain: { quietMs: 0 } } });
  const opened = r.tunnel.server("billing.tunnel").tasks(served).build();
  const server = await run(
    r
      .resource("billing")
      .register([...served, opened, exposure])
      .build(),
    silent,
  );
  const baseUrl = baseUrlOf(server.getResourceValue(nodeExposure));
  const auth = { token: "t" };
  const tunnel = r.tunnel.client("app.tunnel").tasks(served).http({ baseUrl, auth }).build();
  const outer = r
    .task("app.outer")
    .dependencies({ charge })
    .run(async (options: TaskCallOptions, deps) => deps.charge("nested", options))
    .build();
  const root = rootWith([...served, tunnel, outer], { charge, rows, sum, store, outer });
  const app = await run(root, silent);
  const mixed = createHttpMixedClient({ baseUrl, auth });
  const clients = [mixed, createHttpSmartClient({ baseUrl, auth })];
  return {
    ...app.value,
    runs,
    baseUrl,
    mixed,
    clients,
    async [Symbol.asyncDispose]() {
      await app.dispose();
      for (const client of clients) await client.close();
      await server.dispose();
    },
  };
}

async function readAll(items: AsyncIterable<unknown>): Promise<void> {
  for await (const item of items) void item;
}

const key = { idempotencyKey: "order-1" };

async function startLocal() {
  const { runs, charge, rows, sum, store } = createTasks();
  const outer = r
    .task("app.outer")
    .dependencies({ charge })
    .run(async (options: TaskCallOptions, deps) => deps.charge("nested", options))
    .build();
  const root = rootWith([charge, rows, sum, store, outer], { charge, rows, sum, store, outer });
  const app = await run(root, silent);
  return { ...app.value, app, runs, [Symbol.asyncDispose]: () => app.dispose() };
}

const places = [
  ["of this process", startLocal],
  ["that a tunnel routes", startPair],
] as const;

it.each(places)(
  "a task %s runs once for a key that its caller gives, from resources and tasks",
  async (_where, start) => {
    await using started = await start();
    const { charge, outer, runs } = started;

    const replies = [
      await charge("pot", key),
      await charge("pot", key),
      await outer({ idempotencyKey: "order-2" }),
      await outer({ idempotencyKey: "order-2" }),
      await charge("pot"),
    ];

    expect(replies).toEqual(["pot 1", "pot 1", "nested 2", "nested 2", "pot 3"]);
    expect(runs).toEqual(["pot", "nested", "pot"]);
  },
);

it.each(places)("a key of a task %s that comes with another input is a conflict", async (_where, start) => {
  await using started = await start();

  await started.charge("pot", key);
  const conflict = await rejectionOf(started.charge("pan", key));

  expect(Errors.idempotencyConflictError.is(conflict) && conflict.data).toEqual({ taskId: "billing.charge" });
});

it.each(places)(
  "a call of a task %s is refused when its key is none, or it streams, before anything happens",
  async (_where, start) => {
    await using started = await start();
    const { charge, rows, sum, runs } = started;

    const refusals = [
      await rejectionOf(charge("pot", { idempotencyKey: "" })),
      await rejectionOf(charge("pot", { idempotencyKey: "a b" })),
      await rejectionOf(charge("pot", { idempotencyKey: "k".repeat(201) })),
      await rejectionOf(readAll(rows("pot", key))),
      await rejectionOf(sum("pot", { ...key, items: [1] })),
    ];

    const notAKey = "its key is not 1 to 200 visible ASCII characters";
    expect(refusals.map((error) => Errors.idempotencyUnsupportedError.is(error) && error.data)).toEqual([
      { taskId: "billing.charge", reason: notAKey },
      { taskId: "billing.charge", reason: notAKey },
      { taskId: "billing.charge", reason: notAKey },
      { taskId: "billing.rows", reason: "it streams its items" },
      { taskId: "billing.sum", reason: "it sends files, items or a stream" },
    ]);
    expect(runs).toEqual([]);
  },
);

it("a client refuses keys for files and streams of bytes, and sends nothing", async () => {
  await using started = await startPair();
  const { clients, runs } = started;
  const newFile = () => createNodeFile({ name: "a.txt" }, { buffer: Buffer.from("a") });

  const refusals: unknown[] = [];
  for (const client of clients) {
    refusals.push(
      await rejectionOf(client.task("billing.store", { file: newFile() }, key)),
      await rejectionOf(client.task("billing.store", Readable.from([Buffer.from("a")]), key)),
    );
  }

  const data = { taskId: "billing.store", reason: "it sends files, items or a stream" };
  expect(refusals.map((error) => Errors.idempotencyUnsupportedError.is(error) && error.data)).toEqual([
    data,
    data,
    data,
    data,
  ]);
  expect(runs).toEqual([]);
});

it("a server refuses with 400 a key that comes with a form, and files for a task whose tag makes the key", async () => {
  await using started = await startPair();
  const { baseUrl, mixed, runs } = started;
  const form = new FormData();
  form.set("__manifest", JSON.stringify({ input: { file: null } }));

  const headers = { "x-runner-token": "t", "x-runner-idempotency-key": "order-1" };
  const refusal = await fetch(`${baseUrl}/task/billing.store`, { method: "POST", headers, body: form });
  const file = createNodeFile({ name: "a.txt" }, { buffer: Buffer.from("a") });
  const refusedFile = await rejectionOf(mixed.task("billing.tagged", { file }));

  expect([refusal.status, await refusal.json()]).toMatchObject([400, { error: { code: "IDEMPOTENCY_UNSUPPORTED" } }]);
  expect(Errors.idempotencyUnsupportedError.is(refusedFile)).toBe(true);
  expect(runs).toEqual([]);
});

it("a call of this process cannot have a key when its input holds a file, or is a stream", async () => {
  await using started = await startLocal();
  const file = createNodeFile({ name: "a.txt" }, { buffer: Buffer.from("a") });

  const refusals = [
    await rejectionOf(started.store({ file }, key)),
    await rejectionOf(started.store(Readable.from(["a"]) as never, key)),
  ];

  expect(refusals.map(Errors.idempotencyUnsupportedError.is)).toEqual([true, true]);
  expect(started.runs).toEqual([]);
});

it("a call with a key that its caller gives up goes on while another one waits for it, and is aborted when none does", async () => {
  const [begun, go] = [createDeferred(), createDeferred()];
  let signalOfRun: AbortSignal | undefined;
  const slow = r
    .task("billing.slow")
    .run(async (id: string, _dependencies, { signal }) => {
      signalOfRun = signal;
      begun.resolve();
      await go.promise;
      return id;
    })
    .build();
  const root = rootWith([slow], { slow });
  await using app = await run(root, silent);
  const aborter = new AbortController();
  using time = stopTime();

  const first = rejectionOf(app.value.slow("a", { ...key, signal: aborter.signal }));
  await begun.promise;
  const second = app.value.slow("a", key);
  const failed = rejectionOf(app.value.slow("a", { ...key, timeoutMs: 300 }));
  await new Promise(setImmediate);
  time.advance(300);
  const late = await failed;
  aborter.abort(new Error("enough"));
  await first;
  const isAborted = signalOfRun?.aborted;
  go.resolve();

  expect(Errors.deadlineExceededError.is(late)).toBe(true);
  expect([isAborted, await second]).toEqual([false, "a"]);
});

it("a call with a key that comes while an abandoned one ends is made anew, and does not get the reason of the other", async () => {
  const [begun, go] = [createDeferred(), createDeferred()];
  let runs = 0;
  const slow = r
    .task("billing.slow")
    .run(async (id: string, _dependencies, { signal }) => {
      runs += 1;
      if (runs > 1) return `${id} again`;
      begun.resolve();
      await go.promise;
      return signal.throwIfAborted();
    })
    .build();
  const root = rootWith([slow], { slow });
  await using app = await run(root, silent);
  const aborter = new AbortController();
  using time = stopTime();

  const first = rejectionOf(app.value.slow("a", { ...key, signal: aborter.signal }));
  await begun.promise;
  aborter.abort(new Error("enough"));
  await first;
  const second = app.value.slow("a", key);
  const failed = rejectionOf(app.value.slow("a", { ...key, timeoutMs: 300 }));
  await new Promise(setImmediate);
  time.advance(300);
  const late = await failed;
  go.resolve();

  expect(await second).toBe("a again");
  expect(Errors.deadlineExceededError.is(late)).toBe(true);
});

it("a tag that makes keys ranks above the key of a caller of its process, and refuses a task that takes items", async () => {
  const runs: string[] = [];
  const tag = globals.tags.idempotent.with({ key: (id: string) => id });
  const charge = r
    .task("billing.charge")
    .tags([tag])
    .run(async (id: string) => runs.push(id))
    .build();
  const sum = r
    .task("billing.sum")
    .tags([tag])
    .itemInput<number>()
    .run(async (id: string) => runs.push(id))
    .build();
  const root = rootWith([charge, sum], { charge, sum });
  await using app = await run(root, silent);

  await app.value.charge("pot", { idempotencyKey: "x1" });
  await app.value.charge("pot", { idempotencyKey: "x2" });
  await app.value.charge("pan", { idempotencyKey: "x2" });
  const refusal = await rejectionOf(app.value.sum("pot", { items: [1] }));

  expect(runs).toEqual(["pot", "pan"]);
  expect(Errors.idempotencyUnsupportedError.is(refusal)).toBe(true);
});

it("a typed tunnel and a typed client name the tasks whose calls may be repeated, and those whose input makes a key", async () => {
  await using started = await startPair();
  const { baseUrl, runs } = started;
  type Module = { readonly charge: ReturnType<typeof createTasks>["charge"] };
  const auth = { token: "t" };
  const keyed = { charge: { id: "billing.charge", idempotent: { key: (id: string) => `order-${id}` } } } as const;
  const calls: unknown[] = [];
  const recorder = {
    task: async (_id: string, _input: unknown, options: unknown) => calls.push(options),
    event: async () => {},
  };
  const tunnel = r.tunnel.client<Module>("app.keyed").tasks(keyed).http({ baseUrl, auth }).build();
  const repeatable = r.tunnel
    .client<Module>("app.repeatable")
    .tasks({ charge: { id: "billing.charge", idempotent: true } })
    .connect(() => recorder)
    .build();
  const rootOf = (routed: typeof tunnel) => rootWith([routed], { charge: routed.tasks.charge });
  await using app = await run(rootOf(tunnel), silent);
  await using other = await run(rootOf(repeatable), silent);
  await using client = createHttpMixedClient<Module>({ baseUrl, auth, tasks: keyed });

  const replies = [
    await app.value.charge("pot"),
    await app.value.charge("pot"),
    await client.tasks.charge("pot"),
    await client.tasks.charge("pan"),
  ];
  await other.value.charge("pot");

  expect(replies).toEqual(["pot 1", "pot 1", "pot 1", "pan 2"]);
  expect(runs).toEqual(["pot", "pan"]);
  expect(calls).toMatchObject([{ isRepeatable: true }]);
});
