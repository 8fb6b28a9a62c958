import { createHttpMixedClient, globals, journal, r, run } from "../../../node";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";
import { connect, quiet, serve } from "../../support/tunnelPair";
import { callingHook, waitingTask } from "../../support/waitingTask";

/** Aborts a call of `entry` once the innermost task has started. */
async function abortOnceStarted(call: (signal: AbortSignal) => Promise<unknown>, started: Promise<unknown>) {
  const aborter = new AbortController();
  const failure = rejectionOf(call(aborter.signal));
  await started;
  const reason = new Error("enough");
  aborter.abort(reason);
  return { reason, failure: await failure };
}

const happened = r.event<{ n: number }>("happened").build();
const outer = r
  .task("outer")
  .dependencies({ happened })
  .run(async (_input: void, deps) => deps.happened({ n: 1 }))
  .build();

describe("the signal of a call", () => {
  it("the signal of a call reaches a task that a hook calls for an event the task emitted", async () => {
    const inner = waitingTask("inner");
    const hook = callingHook(happened, inner);
    await using app = await run(appOf(happened, inner.task, hook, outer), quiet);

    const { reason } = await abortOnceStarted((signal) => app.runTask(outer, undefined, { signal }), inner.started);

    expect(await inner.stopped).toBe(reason);
  });

  it("the signal of a call is on the emission of an event, and absent from an emission without a caller that can abort", async () => {
    const signals: unknown[] = [];
    const hook = r
      .hook("hook")
      .on(happened)
      .run(async (emission) => void signals.push(emission.signal, Object.keys(emission).includes("signal")))
      .build();
    await using app = await run(appOf(happened, hook, outer), quiet);
    const { signal } = new AbortController();

    await app.runTask(outer, undefined, { signal });
    await app.runTask(outer);

    expect(signals).toEqual([signal, false, undefined, false]);
  });

  it("the signal of a call reaches tasks that a parallel event's hooks call behind an interceptor that copies the emission", async () => {
    const fanned = r.event("fanned").parallel().build();
    const inner = waitingTask("inner");
    const hook = callingHook(fanned, inner);
    const outer = r
      .task("outer")
      .dependencies({ fanned })
      .run(async (_input: void, deps) => deps.fanned())
      .build();
    const copying = r
      .resource("copying")
      .dependencies({ events: globals.resources.eventManager })
      .init(async (_config, { events }) => events.intercept((next, emission) => next({ ...emission })))
      .build();
    await using app = await run(appOf(fanned, inner.task, hook, outer, copying), quiet);

    const { reason } = await abortOnceStarted((signal) => app.runTask(outer, undefined, { signal }), inner.started);

    expect(await inner.stopped).toBe(reason);
  });

  it("the signal of a call is given to middleware, and reaches the tasks that the middleware depends on", async () => {
    const audit = waitingTask("audit");
    let given: AbortSignal | undefined;
    const auditing = r.middleware
      .task("auditing")
      .dependencies({ audit: audit.task })
      .run(async ({ next, task, signal }, deps) => {
        given = signal;
        await deps.audit();
        return next(task.input);
      })
      .build();
    const outer = r
      .task("outer")
      .middleware([auditing])
      .run(async () => "done")
      .build();
    await using app = await run(appOf(audit.task, auditing, outer), quiet);

    const { reason } = await abortOnceStarted((signal) => app.runTask(outer, undefined, { signal }), audit.started);

    expect(given?.reason).toBe(reason);
    expect(await audit.stopped).toBe(reason);
  });

  it("the signal of a call never aborts in middleware of a call that was given none", async () => {
    const reading = r.middleware
      .task("reading")
      .run(async ({ signal }) => signal.aborted)
      .build();
    const task = r
      .task("task")
      .middleware([reading])
      .run(async (): Promise<unknown> => "body")
      .build();
    await using app = await run(appOf(reading, task), quiet);

    expect(await app.runTask(task)).toBe(false);
  });

  it("the signal of a call crosses to another process when an emission is routed, and reaches the hooks there", async () => {
    const inner = waitingTask("inner");
    const hook = callingHook(happened, inner);
    await using server = await serve([happened, inner.task, hook], { mode: "server", events: [happened] });
    await using client = createHttpMixedClient({ baseUrl: server.baseUrl, auth: { token: "s3cret" } });
    await using app = await connect(server.baseUrl, [happened, outer], {
      mode: "client",
      events: [happened],
      eventDeliveryMode: "remote-only",
      client,
    });

    const { reason, failure } = await abortOnceStarted(
      (signal) => app.runTask(outer, undefined, { signal }),
      inner.started,
    );

    expect(failure).toBe(reason);
    expect(await inner.stopped).toMatchObject({ name: "runner.errors.cancellation" });
  });
});

describe("next with a signal", () => {
  const stopping = (signal: AbortSignal) =>
    r.middleware
      .task("stopping")
      .run(async ({ next, task }) => next(task.input, { signal }))
      .build();

  it.each(["the middleware's", "the caller's"])(
    "next with a signal aborts the body and the tasks it calls by %s signal",
    async (whose) => {
      const own = new AbortController();
      const callers = new AbortController();
      const inner = waitingTask("inner");
      const middleware = stopping(own.signal);
      const outer = r
        .task("outer")
        .dependencies({ inner: inner.task })
        .middleware([middleware])
        .run(async (_input: void, deps) => deps.inner())
        .build();
      await using app = await run(appOf(inner.task, middleware, outer), quiet);

      const failure = rejectionOf(app.runTask(outer, undefined, { signal: callers.signal }));
      await inner.started;
      const reason = new Error("enough");
      (whose === "the caller's" ? callers : own).abort(reason);

      expect(await failure).toBe(reason);
      expect(await inner.stopped).toBe(reason);
    },
  );

  it("next with a signal keeps the journal, and aborts nothing that outlives the call", async () => {
    const own = new AbortController();
    const middleware = stopping(own.signal);
    const key = journal.createKey<string>("key");
    const writing = r.middleware
      .task("writing")
      .run(async ({ next, task, journal: own }) => {
        own.set(key, "kept");
        return next(task.input);
      })
      .build();
    let late: AbortSignal | undefined;
    const task = r
      .task("task")
      .middleware([writing, middleware])
      .run(async (_input: void, _deps, info) => {
        late = info.signal;
        return info.journal.get(key);
      })
      .build();
    await using app = await run(appOf(writing, middleware, task), quiet);
    const callers = new AbortController();

    expect(await app.runTask(task, undefined, { signal: callers.signal })).toBe("kept");
    own.abort();
    callers.abort();

    expect(late?.aborted).toBe(false);
  });

  it("next with detached goes on when the caller leaves, until the signal of the middleware aborts", async () => {
    const own = new AbortController();
    const middleware = r.middleware
      .task("detaching")
      .run(async ({ next, task }) => next(task.input, { signal: own.signal, timeoutMs: 60_000, detached: true }))
      .build();
    const { task: inner, started, stopped } = waitingTask("inner");
    const left: (number | undefined)[] = [];
    const outer = r
      .task("outer")
      .dependencies({ inner })
      .middleware([middleware])
      .run(async (_input: void, { inner: call }, { deadline, origin }) => {
        left.push(deadline?.remainingMs);
        expect(origin).toBe("local");
        return call();
      })
      .build();
    await using app = await run(appOf(middleware, inner, outer), { ...quiet, onUnhandledError: () => {} });
    const callers = new AbortController();
    const failure = rejectionOf(app.runTask(outer, undefined, { signal: callers.signal, timeoutMs: 90_000 }));
    await started;

    callers.abort(new Error("the caller left"));
    const reason = new Error("enough");
    own.abort(reason);

    expect([await stopped, await failure]).toEqual([reason, reason]);
    expect(left[0]).toBeGreaterThan(59_000);
    expect(left[0]).toBeLessThanOrEqual(60_000);
  });

  it.each([undefined, null, 7, "signal", { signal: "no signal" }, [1]])(
    "next with a signal ignores %j as its second argument",
    async (options) => {
      const middleware = r.middleware
        .task("passing")
        .run(async ({ next, task }) => next(task.input, options as never))
        .build();
      const task = r
        .task("task")
        .middleware([middleware])
        .run(async (input: number) => input + 1)
        .build();
      await using app = await run(appOf(middleware, task), quiet);

      expect(await app.runTask(task, 1)).toBe(2);
    },
  );
});
