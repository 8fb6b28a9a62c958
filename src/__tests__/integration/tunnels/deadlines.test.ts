import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { createHttpClient, createHttpMixedClient, createHttpSmartClient, Errors, globals, r, run } from "../../../node";
import { appOf } from "../../support/appOf";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { stopTime } from "../../support/stopTime";
import { connect, quiet, serve, token } from "../../support/tunnelPair";
import { callingHook, waitingTask } from "../../support/waitingTask";

/** Caller, service A, which runs `middle`, and service B, which runs `inner`. */
async function startThree() {
  const inner = waitingTask("inner");
  const b = await serve([inner.task], { mode: "server", tasks: [inner.task] });
  const toB = createHttpMixedClient({ baseUrl: b.baseUrl, auth: { token } });
  const happened = r.event("happened").build();
  const middle = r
    .task("middle")
    .dependencies({ happened })
    .run(async (_input: void, deps) => deps.happened())
    .build();
  const hook = callingHook(happened, inner);
  const routed = r
    .resource("toB")
    .tags([globals.tags.tunnel])
    .init(async () => ({ mode: "client" as const, tasks: [inner.task], client: toB }))
    .build();
  const a = await serve([inner.task, middle, happened, hook, routed], { mode: "server", tasks: [middle] });
  const remote = r.task.phantom<void, void>(middle.id).build();
  const caller = await connect(a.baseUrl, [remote], { mode: "client", tasks: [remote] });
  return {
    inner,
    middle: remote,
    caller,
    async [Symbol.asyncDispose]() {
      await caller.dispose();
      await a.app.dispose();
      await toB.close();
      await b.app.dispose();
    },
  };
}

describe("the time of a call", () => {
  it("the time of a call is what the innermost task of three processes has left, through a hook between them", async () => {
    await using processes = await startThree();
    const { inner, middle, caller } = processes;
    using time = stopTime();

    const failure = rejectionOf(caller.runTask(middle, undefined, { timeoutMs: 1_000 }));
    const { remainingMs, origin } = await inner.started;
    time.advance(1_000);

    expect(remainingMs).toBeGreaterThan(990);
    expect(remainingMs).toBeLessThanOrEqual(1_000);
    expect(origin).toBe("exposure:http");
    expect(await failure).toMatchObject({ name: "runner.errors.deadlineExceeded", data: { id: "middle" } });
    expect(
      Errors.isCancellationError(await inner.stopped) || Errors.deadlineExceededError.is(await inner.stopped),
    ).toBe(true);
  });

  it("the time of a call that is aborted by its caller ends the innermost task of three processes", async () => {
    await using processes = await startThree();
    const { inner, middle, caller } = processes;
    const aborter = new AbortController();

    const failure = rejectionOf(caller.runTask(middle, undefined, { signal: aborter.signal }));
    expect((await inner.started).remainingMs).toBeUndefined();
    aborter.abort(new Error("enough"));

    expect((await failure).message).toBe("enough");
    expect(await inner.stopped).toMatchObject({ name: "runner.errors.cancellation" });
  });

  it("the time of a call rejects a local task that takes no notice of its signal", async () => {
    const released = createDeferred();
    const stubborn = r
      .task("stubborn")
      .run(async () => released.promise)
      .build();
    await using app = await run(appOf(stubborn), quiet);

    const failure = await rejectionOf(app.runTask(stubborn, undefined, { timeoutMs: 20 }));
    released.resolve();

    expect(Errors.deadlineExceededError.is(failure)).toBe(true);
    expect(failure).toMatchObject({ data: { id: "stubborn", timeoutMs: 20 }, httpCode: 504 });
  });

  it("the time of a call is the least of what the callers around it set", async () => {
    const inner = waitingTask("inner");
    const outer = r
      .task("outer")
      .dependencies({ inner: inner.task })
      .run(async (_input: void, deps) => deps.inner(undefined, { timeoutMs: 60_000 }))
      .build();
    await using app = await run(appOf(inner.task, outer), quiet);

    using time = stopTime();

    const failure = rejectionOf(app.runTask(outer, undefined, { timeoutMs: 200 }));
    const { remainingMs } = await inner.started;
    time.advance(200);

    expect(remainingMs).toBe(200);
    expect(await failure).toMatchObject({ data: { id: "outer", timeoutMs: 200 } });
    expect(await inner.stopped).toBe(await failure);
  });

  it("the time of a call holds for an inner call that brings a signal of its own", async () => {
    const inner = waitingTask("inner");
    const outer = r
      .task("outer")
      .dependencies({ inner: inner.task })
      .run(async (_input: void, deps) => deps.inner({ signal: new AbortController().signal }))
      .build();
    await using app = await run(appOf(inner.task, outer), quiet);

    using time = stopTime();

    const failed = rejectionOf(app.runTask(outer, undefined, { timeoutMs: 200 }));
    await inner.started;
    time.advance(200);
    const failure = await failed;

    expect(Errors.deadlineExceededError.is(failure)).toBe(true);
    expect(Errors.deadlineExceededError.is(await inner.stopped)).toBe(true);
  });

  it("the time of a call that settles aborts nothing later", async () => {
    let late: AbortSignal | undefined;
    const task = r
      .task("task")
      .run(async (_input: void, _deps, { signal }) => void (late = signal))
      .build();
    await using app = await run(appOf(task), quiet);

    jest.useFakeTimers();
    try {
      await app.runTask(task, undefined, { timeoutMs: 50 });
      jest.advanceTimersByTime(100);
    } finally {
      jest.useRealTimers();
    }

    expect(late?.aborted).toBe(false);
  });

  it("the time of a call is given to what is inside a middleware by next", async () => {
    const limiting = r.middleware
      .task("limiting")
      .run(async ({ next, task }) => next(task.input, { timeoutMs: 200 }))
      .build();
    const inner = waitingTask("inner");
    const limited = r
      .task("limited")
      .middleware([limiting])
      .dependencies({ inner: inner.task })
      .run(async (_input: void, deps) => deps.inner())
      .build();
    await using app = await run(appOf(limiting, inner.task, limited), quiet);

    using time = stopTime();

    const failed = rejectionOf(app.runTask(limited));
    await inner.started;
    time.advance(200);
    const failure = await failed;

    expect(failure).toMatchObject({ data: { id: "limited", timeoutMs: 200 } });
    expect(await inner.stopped).toBe(failure);
  });

  it.each<[unknown, string]>([
    [Number.NaN, "NaN"],
    [-1, "-1"],
    ["5", "5"],
    [null, "null"],
  ])("the time of a call is refused where it is no number of milliseconds: %p", async (timeoutMs, shown) => {
    const task = r
      .task("task")
      .run(async () => "done")
      .build();
    await using app = await run(appOf(task), quiet);

    const failure = await rejectionOf(app.runTask(task, undefined, { timeoutMs: timeoutMs as number }));

    expect(failure).toBeInstanceOf(TypeError);
    expect(failure.message).toContain(`timeoutMs of a call of "task" is a number of milliseconds, got ${shown}`);
  });
});

describe("a client's own time limit", () => {
  it.each([
    ["createHttpMixedClient", createHttpMixedClient, { name: "AbortError" }],
    ["createHttpSmartClient", createHttpSmartClient, { code: "REQUEST_TIMEOUT" }],
    ["createHttpClient", createHttpClient, { name: "AbortError" }],
  ])(
    "a client's own time limit of one call of %s rejects as its configured one does",
    async (_name, create, expected) => {
      const { task, started, stopped } = waitingTask("waiting");
      await using server = await serve([task], { mode: "server", tasks: [task] });
      await using client = create({ baseUrl: server.baseUrl, auth: { token } });
      using time = stopTime();

      const failed = rejectionOf(client.task("waiting", undefined, { timeoutMs: 50 }));
      await started;
      time.advance(50);
      const failure = await failed;

      expect(failure).toMatchObject({ ...expected, details: { delivered: "unknown" } });
      expect(failure.message).toContain('task "waiting"');
      await stopped;
    },
  );
});

describe("x-runner-deadline-ms", () => {
  /** The headers of the one call that arrives. */
  async function startRecorder() {
    const seen = createDeferred<IncomingHttpHeaders>();
    const server = createServer((req, res) => {
      seen.resolve(req.headers);
      res.setHeader("content-type", "application/json").end('{"ok":true}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return {
      baseUrl: `http://127.0.0.1:${port}`,
      seen: seen.promise,
      [Symbol.asyncDispose]: async () => void server.close(),
    };
  }

  it.each([
    ["createHttpMixedClient", createHttpMixedClient, {}],
    ["createHttpSmartClient", createHttpSmartClient, {}],
    ["createHttpClient that propagates it", createHttpClient, { propagate: { deadline: true } }],
  ])("x-runner-deadline-ms is sent by %s for a call with a time limit", async (_name, create, config) => {
    await using recorder = await startRecorder();
    await using client = create({ baseUrl: recorder.baseUrl, ...config });
    using time = stopTime();

    const called = client.task("task", 1, { timeoutMs: 5_000 });
    const headers = await recorder.seen;
    time.advance(4_000);
    await called;

    expect(headers["x-runner-deadline-ms"]).toBe("5000");
  });

  it.each([
    ["createHttpClient, whose page may not send it", createHttpClient, { timeoutMs: 5_000 }, {}],
    ["createHttpMixedClient for its configured limit", createHttpMixedClient, undefined, { timeoutMs: 5_000 }],
  ])("x-runner-deadline-ms is not sent by %s", async (_name, create, options, config) => {
    await using recorder = await startRecorder();
    await using client = create({ baseUrl: recorder.baseUrl, ...config });

    await client.task("task", 1, options);

    expect(await recorder.seen).not.toHaveProperty("x-runner-deadline-ms");
  });

  const call = async (baseUrl: string, headers: Record<string, string>) => {
    const response = await fetch(`${baseUrl}/task/waiting`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-runner-token": token, ...headers },
      body: "{}",
    });
    return { status: response.status, body: (await response.json()) as { error: { code: string } } };
  };

  it("x-runner-deadline-ms of 0 is answered 504 DEADLINE_EXCEEDED, and the task does not start", async () => {
    let starts = 0;
    const task = r
      .task("waiting")
      .run(async () => void (starts += 1))
      .build();
    await using server = await serve([task], { mode: "server", tasks: [task] });

    const { status, body } = await call(server.baseUrl, { "x-runner-deadline-ms": "0" });

    expect(status).toBe(504);
    expect(body.error).toMatchObject({
      code: "DEADLINE_EXCEEDED",
      id: "runner.errors.deadlineExceeded",
      data: { id: "waiting", timeoutMs: 0 },
    });
    expect(starts).toBe(0);
  });

  it("x-runner-deadline-ms ends a task that takes no notice of its signal with 504", async () => {
    const released = createDeferred();
    const task = r
      .task("waiting")
      .run(async () => released.promise)
      .build();
    await using server = await serve([task], { mode: "server", tasks: [task] });

    const { status } = await call(server.baseUrl, { "x-runner-deadline-ms": "20" });
    released.resolve();

    expect(status).toBe(504);
  });

  it.each(["soon", "-5", "1e3", "5 ms", "", "99999999999999999"])(
    "x-runner-deadline-ms that is no number of milliseconds is ignored: %p",
    async (header) => {
      const task = r
        .task("waiting")
        .run(async (_input: unknown, _deps, { deadline }) => deadline === undefined)
        .build();
      await using server = await serve([task], { mode: "server", tasks: [task] });

      expect(await call(server.baseUrl, { "x-runner-deadline-ms": header })).toEqual({
        status: 200,
        body: { ok: true, result: true },
      });
    },
  );
});
