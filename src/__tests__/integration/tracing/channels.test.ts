import { AsyncLocalStorage } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
import {
  createExposureFetch,
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  globals,
  r,
  run,
  type RegisterableItems,
  type TaskTrace,
  type TraceContext,
} from "../../../node";
import { appOf } from "../../support/appOf";
import { startExposure, token } from "../../support/exposure";
import { rejectionOf } from "../../support/failures";
import { listen } from "../../support/listen";

const start = (...items: readonly RegisterableItems[]) =>
  run(appOf(...items), {
    errorBoundary: false,
    shutdownHooks: false,
    logs: { printThreshold: null },
    onUnhandledError() {},
  });

const double = r
  .task("double")
  .run(async (input: number) => input * 2)
  .build();

const traceOf = (digit: string): TraceContext => ({
  traceId: digit.repeat(32),
  spanId: digit.repeat(16),
  flags: "01",
});

describe("runner:task", () => {
  it("publishes a call in five phases on one message of ids, scope and time, without input and result", async () => {
    await using app = await start(double);
    using tasks = listen("runner:task");

    await expect(app.runTask(double, 21)).resolves.toBe(42);

    expect(tasks.phases()).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    expect(new Set(tasks.seen.map(([, message]) => message)).size).toBe(1);
    expect(tasks.messages()).toEqual([{ taskId: "double", origin: "local", ms: expect.any(Number) as number }]);
  });

  it("publishes the error of a call that fails, before it settles", async () => {
    const failing = r
      .task("failing")
      .run(async () => Promise.reject(new RangeError("no")))
      .build();
    await using app = await start(failing);
    using tasks = listen("runner:task");

    const error = await rejectionOf(app.runTask(failing));

    expect(tasks.phases()).toEqual(["start", "end", "error", "asyncStart", "asyncEnd"]);
    expect(tasks.messages()[0]?.error).toBe(error);
  });

  it("publishes nested calls each on their own, and nothing once nothing listens", async () => {
    const outer = r
      .task("outer")
      .dependencies({ double })
      .run(async (input: number, deps) => deps.double(input))
      .build();
    await using app = await start(double, outer);
    const tasks = listen("runner:task");
    await app.runTask(outer, 1);
    tasks[Symbol.dispose]();
    await app.runTask(outer, 1);

    expect(tasks.messages().map(({ taskId }) => taskId)).toEqual(["outer", "double"]);
  });

  it("hands the trace that a listener makes to what the task calls and emits in turn", async () => {
    const ping = r.event("ping").build();
    const outer = r
      .task("outer")
      .dependencies({ double, ping })
      .run(async (input: number, deps) => {
        await deps.ping();
        return deps.double(input);
      })
      .build();
    const heard = r
      .hook("heard")
      .on(ping)
      .run(async () => {})
      .build();
    await using app = await start(double, outer, ping, heard);
    using events = listen("runner:event");
    const given = [traceOf("a"), traceOf("b")];
    const found: (TraceContext | undefined)[] = [];
    using tasks = listen("runner:task", (message) => {
      found.push(message.trace);
      message.trace = given.shift();
    });

    await app.runTask(outer, 1);

    expect(found).toEqual([undefined, traceOf("a")]);
    expect(tasks.messages()).toHaveLength(2);
    expect(events.messages().map(({ eventId, source, trace }) => ({ eventId, source, trace }))).toEqual([
      { eventId: "ping", source: "outer", trace: traceOf("a") },
    ]);
  });

  it("runs a call inside what a listener says, and inside the stores that are bound to the channel", async () => {
    const order: unknown[] = [];
    const store = new AsyncLocalStorage<string>();
    const noting = r
      .task("noting")
      .run(async () => void order.push("body", store.getStore()))
      .build();
    await using app = await start(noting);
    const channel = tracingChannel<string, TaskTrace>("runner:task").start;
    channel.bindStore(store, ({ taskId }) => `of ${taskId}`);
    using tasks = listen("runner:task", (message) => {
      message.enter = (call) => {
        order.push("entered");
        return call();
      };
    });

    await app.runTask(noting);
    channel.unbindStore(store);

    expect(order).toEqual(["entered", "body", "of noting"]);
    expect(tasks.messages()).toHaveLength(1);
  });

  it("a signal, a journal and the time of a call reach the task while something listens", async () => {
    const { signal } = new AbortController();
    const seen: unknown[] = [];
    const looking = r
      .task("looking")
      .run(async (_input: void, _deps, call) => seen.push(call?.signal === signal, call?.deadline !== undefined))
      .build();
    await using app = await start(looking);
    using tasks = listen("runner:task");

    await app.runTask(looking, undefined, { signal });
    await app.runTask(looking, undefined, { timeoutMs: 60_000 });

    expect(seen).toEqual([true, false, false, true]);
    expect(tasks.messages().map(({ deadline }) => deadline)).toEqual([undefined, undefined]);
  });
});

describe("runner:event", () => {
  it("publishes an emission with its source, whether hooks listen or not, and its failure", async () => {
    const quiet = r.event("quiet").build();
    const loud = r.event("loud").build();
    const hook = r
      .hook("hook")
      .on(loud)
      .run(async () => Promise.reject(new Error("deaf")))
      .build();
    await using app = await start(quiet, loud, hook);
    using events = listen("runner:event");

    await app.emitEvent(quiet);
    await rejectionOf(app.emitEvent(loud));

    expect(events.messages().map(({ eventId, source, error }) => [eventId, source, (error as Error)?.message])).toEqual(
      [
        ["quiet", "outside", undefined],
        ["loud", "outside", expect.stringContaining("deaf")],
      ],
    );
  });
});

describe("run(app, { observe })", () => {
  it("receives the messages of its own run alone, whatever else runs in the process", async () => {
    const seen: string[] = [];
    await using observed = await run(appOf(double), {
      errorBoundary: false,
      shutdownHooks: false,
      logs: { printThreshold: null },
      observe(event) {
        if (event.channel === "runner:task") seen.push(`${event.phase} ${event.message.taskId}`);
      },
    });
    await using other = await start(double);

    await other.runTask(double, 1);
    await observed.runTask(double, 1);

    expect(seen).toEqual(["start double", "end double", "asyncStart double", "asyncEnd double"]);
  });

  it("refuses what is no function", async () => {
    await expect(run(appOf(double), { observe: 1 as never })).rejects.toThrow(
      "run(app, options).observe must be a function, got 1",
    );
  });
});

describe("runner:request", () => {
  it("publishes a served call with its id, caller, status and bytes", async () => {
    await using exposure = await startExposure([double]);
    using requests = listen("runner:request");

    const body = JSON.stringify({ input: 4 });
    const reply = await exposure.post("/__runner/task/double", body, { "x-runner-request-id": "req-1" });

    const text = await reply.text();
    expect(requests.phases()).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    expect(requests.messages()).toEqual([
      {
        taskId: "double",
        requestId: "req-1",
        origin: "exposure:http",
        caller: expect.stringMatching(/^token:[0-9a-f]{16}$/) as string,
        status: 200,
        bytesIn: body.length,
        bytesOut: text.length,
        ms: expect.any(Number) as number,
      },
    ]);
  });

  it.each([
    ["of a task that is not open", "/__runner/task/missing", { "x-runner-token": token }, 403, "FORBIDDEN"],
    ["without a token", "/__runner/task/double", { "x-runner-token": "wrong" }, 401, "UNAUTHORIZED"],
    ["of no target", "/__runner/nothing/here", {}, 404, "NOT_FOUND"],
  ])("publishes why a request %s is refused", async (_what, path, headers, status, code) => {
    await using exposure = await startExposure([double]);
    using requests = listen("runner:request");

    await exposure.post(path, "{}", headers);

    expect(requests.messages()).toEqual([expect.objectContaining({ status, code })]);
  });

  it("publishes the id of a declared error, and the error itself for those who look inside", async () => {
    const noStock = r.error("noStock").httpCode(409).build();
    const buy = r
      .task("buy")
      .run(async (): Promise<void> => noStock.throw({}))
      .build();
    await using exposure = await startExposure([buy], {}, [noStock]);
    using requests = listen("runner:request");

    await exposure.post("/__runner/task/buy");

    const [message] = requests.messages();
    expect(message).toMatchObject({ taskId: "buy", status: 409, code: "INTERNAL_ERROR", errorId: "noStock" });
    expect(noStock.is(message?.error)).toBe(true);
  });

  it("gives the trace that arrives to the task, and the one that a listener makes of it", async () => {
    await using exposure = await startExposure([double]);
    using tasks = listen("runner:task");
    const sent = { traceparent: `00-${"c".repeat(32)}-${"c".repeat(16)}-01` };
    await exposure.post("/__runner/task/double", `{"input":1}`, sent);
    using requests = listen("runner:request", (message) => {
      message.trace = { ...(message.trace as TraceContext), spanId: "d".repeat(16) };
    });
    await exposure.post("/__runner/task/double", `{"input":1}`, sent);

    expect(tasks.messages().map(({ trace }) => trace)).toEqual([
      traceOf("c"),
      { ...traceOf("c"), spanId: "d".repeat(16) },
    ]);
    expect(requests.messages()).toHaveLength(1);
    expect(tasks.messages()[0]).toMatchObject({ origin: "exposure:http", requestId: expect.any(String) as string });
  });
});

describe("runner:call", () => {
  it("publishes a client's call with the address, status and bytes, and sends the trace that a listener makes", async () => {
    await using exposure = await startExposure([double]);
    await using client = createHttpMixedClient({ baseUrl: exposure.handlers.url, auth: { token } });
    using requests = listen("runner:request");
    using calls = listen("runner:call", (message) => void (message.trace = traceOf("e")));

    await expect(client.task("double", 4)).resolves.toBe(8);

    expect(calls.messages()).toEqual([
      {
        taskId: "double",
        origin: `http://127.0.0.1:${exposure.port}`,
        path: "/__runner/task/double",
        trace: traceOf("e"),
        status: 200,
        bytesOut: `{"input":4}`.length,
        bytesIn: `{"ok":true,"result":8}`.length,
        ms: expect.any(Number) as number,
      },
    ]);
    expect(requests.messages()[0]?.trace).toEqual(traceOf("e"));
  });

  it("publishes what the server says in place of a result, and what keeps the client from reaching it", async () => {
    await using exposure = await startExposure([double]);
    await using client = createHttpMixedClient({ baseUrl: exposure.handlers.url, auth: { token: "wrong" } });
    using calls = listen("runner:call");

    await rejectionOf(client.task("double", 4));
    await exposure.app.dispose();
    await rejectionOf(client.event("gone"));

    expect(calls.messages()).toMatchObject([
      { taskId: "double", status: 401, code: "UNAUTHORIZED" },
      { eventId: "gone", code: "ECONNREFUSED", error: { address: "127.0.0.1" } },
    ]);
  });

  it.each([
    ["createHttpClient", createHttpClient],
    ["createExposureFetch", createExposureFetch],
    ["createHttpMixedClient", createHttpMixedClient],
    ["createHttpSmartClient", createHttpSmartClient],
  ])("publishes one call of a client that %s made by hand, and the server is told its trace", async (_name, create) => {
    await using exposure = await startExposure([double]);
    await using client = create({ baseUrl: exposure.handlers.url, auth: { token }, propagate: { trace: true } });
    using calls = listen("runner:call", (message) => void (message.trace = traceOf("e")));
    using requests = listen("runner:request");

    await expect(client.task("double", 4)).resolves.toBe(8);

    expect(calls.phases()).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    expect(calls.messages()).toMatchObject([{ taskId: "double", status: 200, path: "/__runner/task/double" }]);
    expect(requests.messages()[0]?.trace).toEqual(traceOf("e"));
  });

  it("a routed task is published with its tunnel, and each hop has a span of its own", async () => {
    await using exposure = await startExposure([double]);
    const remote = r.task.phantom<number, number>("double").build();
    const tunnel = r.tunnel
      .client("far")
      .tasks([remote])
      .http(() => ({ baseUrl: exposure.handlers.url, auth: { token } }))
      .build();
    await using app = await start(remote, tunnel);
    using tasks = listen("runner:task", (message) => {
      if (message.tunnelId !== undefined) message.trace = traceOf("f");
    });
    using calls = listen("runner:call");
    using requests = listen("runner:request");

    await expect(app.runTask(remote, 3)).resolves.toBe(6);

    expect(tasks.messages().map(({ tunnelId }) => tunnelId)).toEqual(["far", undefined]);
    const [sent, arrived] = [calls.messages()[0]?.trace, requests.messages()[0]?.trace];
    expect(sent).toMatchObject({ traceId: "f".repeat(32), parentSpanId: "f".repeat(16) });
    expect(arrived).toEqual({ traceId: sent?.traceId, spanId: sent?.spanId, flags: "01" });
  });

  it("a tunnel in memory is published as one over a network", async () => {
    const server = r.tunnel.server("open").tasks([double]).build();
    await using serving = await start(double, server);
    const remote = r.task.phantom<number, number>("double").build();
    const tunnel = r.tunnel.client("near").tasks([remote]).memory(serving).build();
    await using app = await start(remote, tunnel);
    using calls = listen("runner:call");
    using requests = listen("runner:request", (message) => void (message.trace = traceOf("1")));
    using tasks = listen("runner:task");

    await app.runTask(remote, 3);

    expect(calls.messages()).toMatchObject([{ taskId: "double", origin: "memory://", status: 200 }]);
    expect(requests.messages()).toMatchObject([{ taskId: "double", origin: "memory", caller: "memory", status: 200 }]);
    expect(tasks.messages()[1]?.trace).toEqual(traceOf("1"));
  });
});

it("a client that a run's factory makes is observed by the run", async () => {
  await using exposure = await startExposure([double]);
  const seen: string[] = [];
  await using app = await run(appOf(double), {
    errorBoundary: false,
    shutdownHooks: false,
    logs: { printThreshold: null },
    observe: ({ channel, phase, message }) =>
      void (channel === "runner:call" && phase === "asyncEnd" && seen.push(`${message.path} ${message.status}`)),
  });
  const factory = app.getResourceValue(globals.resources.httpClientFactory);
  const client = factory({ baseUrl: exposure.handlers.url, auth: { token } });

  await client.task("double", 2);

  expect(seen).toEqual(["/__runner/task/double 200"]);
});
