import { createHttpClient, createNodeFile, Errors, r, type MixedHttpClient } from "../../../node";
import { token } from "../../support/exposure";
import { rejectionOf } from "../../support/failures";
import { startPeer } from "../../support/httpPeer";
import { listen } from "../../support/listen";
import { stopTime } from "../../support/stopTime";
import { soldOut, startBatchTest, visitor } from "./batchDefinitions";

const batchPath = "/__runner/batch";

describe("a client that batches", () => {
  it("sends the calls of one turn in one request, and gives each its own reply", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();

    const results = await Promise.all([
      client.task("batch.echo", { a: 1, at: new Date(0) }),
      client.safe("batch.sell", "tea"),
      client.safe("batch.crash"),
      client.eventWithResult("batch.emitted", { value: 1 }),
    ]);

    expect(results).toMatchObject([
      { a: 1, at: new Date(0) },
      { ok: false, error: { id: "batch.soldOut", data: { sku: "tea" } } },
      { ok: false, error: { code: "INTERNAL_ERROR", requestId: expect.stringMatching(/\.2$/) as string } },
      { value: 2 },
    ]);
    expect(soldOut.is((results[1] as { error: unknown }).error)).toBe(true);
    expect(test.requests).toEqual([batchPath]);
  });

  it("writes these bytes for two calls", async () => {
    await using peer = await startPeer((_request, response) => {
      response.writeHead(200, { "content-type": "application/x-runner-batch" });
      response.end('1 200 {"ok":true,"result":"second"}\n0 200 {"ok":true,"result":"first"}\n');
    });
    await using test = await startBatchTest();
    await using client = test.connect({ baseUrl: peer.baseUrl });

    const results = await Promise.all([
      client.task("a/ü b", { text: "line\nbreak" }),
      visitor.provide("Zoë Q", () => client.task("x", undefined)),
    ]);

    expect(results).toEqual(["first", "second"]);
    expect(peer.received).toMatchObject([
      {
        method: "POST",
        path: batchPath,
        headers: { "content-type": "application/x-runner-batch", "x-runner-token": token },
        body:
          '0 /task/a%2F%C3%BC%20b {} {"input":{"text":"line\\nbreak"}}\n' +
          String.raw`1 /task/x {"x-runner-context":"{\"batch.visitor\":\"\\\"Zo\\u00eb\u0020Q\\\"\"}"} ` +
          '{"input":{"__type":"Undefined","value":null}}\n',
      },
    ]);
  });

  it("sends a call that is alone in its turn as an ordinary one", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();

    await client.task("batch.echo", 1);
    await client.task("batch.echo", 2);

    expect(test.requests).toEqual(["/__runner/task/batch.echo", "/__runner/task/batch.echo"]);
  });

  it("keeps to its limits, and calls that are too large go by themselves", async () => {
    await using test = await startBatchTest();
    await using client = test.connect({ batch: { maxItems: 2, maxBytes: 10_000 } });

    const large = "x".repeat(10_000);
    const results = await Promise.all([1, 2, 3, 4, large, 5].map((input) => client.task("batch.echo", input)));

    expect(results).toEqual([1, 2, 3, 4, large, 5]);
    expect(test.requests.filter((path) => path === batchPath)).toHaveLength(2);
    expect(test.requests).toHaveLength(4);
  });

  it.each([{ maxItems: 0 }, { maxBytes: -1 }, { maxItems: Number.NaN }, { maxBytes: "1" as never }])(
    "refuses the limits %p by name",
    async (batch) => {
      await using test = await startBatchTest();

      expect(() => test.connect({ batch })).toThrow(/^batch\.max(Items|Bytes) must be a number of at least 1/);
    },
  );

  it("does not batch files, items, progress, and calls with a signal of their own", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();
    const one = new AbortController();
    const two = new AbortController();

    await Promise.all([
      client.task("batch.echo", 1, { onProgress() {} }),
      client.task("batch.echo", 2, { onDownloadProgress() {} }),
      client.task("batch.echo", 3, { signal: one.signal }),
      client.task("batch.echo", 4, { signal: two.signal }),
      client.safe("batch.echo", { file: createNodeFile({ name: "a" }, { buffer: Buffer.from("a") }) }),
      (async () => {
        for await (const item of client.stream("batch.items")) expect(item).toBe(1);
      })(),
    ]);

    expect(test.requests).not.toContain(batchPath);
    expect(test.requests).toHaveLength(6);
  });

  it("batches calls of one and the same signal, whose abort ends all of them on the server", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();
    const { signal, abort } = ((controller) => ({
      signal: controller.signal,
      abort: (reason: Error) => controller.abort(reason),
    }))(new AbortController());
    const reason = new Error("enough");

    const calls = ["a", "b"].map((name) => rejectionOf(client.task("batch.wait", name, { signal })));
    await Promise.all(["a", "b"].map((name) => test.doors.of(name).arrived.promise));
    abort(reason);

    expect(await Promise.all(calls)).toEqual([reason, reason]);
    await Promise.all(["a", "b"].map((name) => test.doors.of(name).aborted.promise));
    expect(test.requests).toEqual([batchPath]);
  });

  it("keeps calls with different credentials apart", async () => {
    await using test = await startBatchTest();
    let calls = 0;
    await using client = test.connect({
      onRequest: ({ headers }) => void (headers["x-runner-token"] = calls++ % 2 === 0 ? token : "guessed"),
    });

    const results = await Promise.all([1, 2, 3, 4].map((input) => client.safe("batch.echo", input)));

    expect(results.map((each) => each.ok)).toEqual([true, false, true, false]);
    expect(test.requests).toEqual([batchPath, batchPath]);
  });

  it("gives each call the async contexts it was made in", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();

    const results = await Promise.all(
      ["ann", "bob"].map((name) => visitor.provide(name, () => client.task("batch.whoami"))),
    );

    expect(results).toEqual(["ann", "bob"]);
    expect(test.requests).toEqual([batchPath]);
  });

  it("runs calls of one turn that have the same idempotency key and input once, and gives both the one result", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();

    const calls = [1, 2].map(() => client.task("batch.wait", "tea", { idempotencyKey: "order-1" }));
    await test.doors.of("tea").arrived.promise;
    test.doors.of("tea").opened.resolve();

    expect(await Promise.all(calls)).toEqual(["tea", "tea"]);
    expect(test.calls).toEqual(['wait "tea"']);
    expect(test.requests).toEqual([batchPath]);
  });

  it("gives a call whose idempotency key comes with another input in the same turn a conflict, and the others their results", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();

    const results = await Promise.all([
      client.task("batch.echo", "tea", { idempotencyKey: "order-1" }),
      client.safe("batch.echo", "coffee", { idempotencyKey: "order-1" }),
      client.task("batch.echo", "coffee", { idempotencyKey: "order-2" }),
      client.task("batch.echo", "milk"),
    ]);

    const conflict = { id: Errors.idempotencyConflictError.id, data: { taskId: "batch.echo" } };
    expect(results).toMatchObject(["tea", { ok: false, error: conflict }, "coffee", "milk"]);
    expect([...test.calls].sort()).toEqual(['echo "coffee"', 'echo "milk"', 'echo "tea"']);
    expect(test.requests).toEqual([batchPath]);
  });

  it("answers a call while others of its request run on", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();

    const slow = client.task("batch.wait", "slow");
    expect(await client.task("batch.echo", "fast")).toBe("fast");
    test.doors.of("slow").opened.resolve();

    expect(await slow).toBe("slow");
    expect(test.requests).toEqual([batchPath]);
  });

  it("ends a call whose time is up, and leaves the others alone", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();
    using time = stopTime();

    const late = rejectionOf(client.task("batch.wait", "late", { timeoutMs: 30 }));
    const other = client.task("batch.wait", "other");
    await Promise.all(["late", "other"].map((name) => test.doors.of(name).arrived.promise));
    time.advance(30);

    expect(await late).toMatchObject({ name: "AbortError", details: { delivered: "unknown" } });
    await test.doors.of("late").aborted.promise;
    test.doors.of("other").opened.resolve();
    expect(await other).toBe("other");
    expect(test.requests).toEqual([batchPath]);
  });

  it("aborts the request once none of its calls is waited for any longer", async () => {
    await using test = await startBatchTest();
    // The server is not told of this limit.
    await using client = test.connect({ timeoutMs: 1000 });
    using time = stopTime();

    const calls = ["a", "b"].map((name) => rejectionOf(client.task("batch.wait", name)));
    await Promise.all(["a", "b"].map((name) => test.doors.of(name).arrived.promise));
    time.advance(1000);

    expect(await Promise.all(calls)).toMatchObject([{ name: "AbortError" }, { name: "AbortError" }]);
    await Promise.all(["a", "b"].map((name) => test.doors.of(name).aborted.promise));
  });

  it("is told what a call of a batch cannot do, and makes it by itself where it has not run", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();
    const callBoth = () =>
      Promise.all([client.safe("batch.bytes"), client.safe("batch.items"), client.task("batch.echo", 1)]);

    const results = [await callBoth(), await callBoth()];

    const [bytes, items] = [{ error: { code: "NOT_BATCHABLE" } }, { error: { code: "NOT_ACCEPTABLE" } }];
    expect(results).toMatchObject([
      [bytes, items, 1],
      [bytes, items, 1],
    ]);
    // Once known, it is not tried in a batch again.
    expect(test.requests.filter((path) => path === "/__runner/task/batch.items")).toHaveLength(2);
    expect(test.calls.filter((call) => call.startsWith("bytes"))).toHaveLength(2);
  });

  it("closes after the calls of the turn were answered", async () => {
    await using test = await startBatchTest();
    const client = test.connect();

    const calls = [client.task("batch.echo", 1), client.task("batch.echo", 2)];
    await client.close();

    expect(await Promise.all(calls)).toEqual([1, 2]);
    expect(await rejectionOf(client.task("batch.echo", 3))).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  it("ends the calls of the turn when it is closed without waiting", async () => {
    await using test = await startBatchTest();
    const client = test.connect();

    const calls = [1, 2].map((input) => rejectionOf(client.task("batch.echo", input)));
    await client.close({ signal: AbortSignal.abort() });

    expect(await Promise.all(calls)).toMatchObject([{ code: "CLIENT_CLOSED" }, { code: "CLIENT_CLOSED" }]);
    expect(test.calls).toEqual([]);
  });

  it("is what createHttpClient and a client tunnel are, too, with batch: true", async () => {
    await using test = await startBatchTest();
    await using client = createHttpClient({ baseUrl: test.baseUrl, auth: { token }, batch: true });

    expect(await Promise.all([1, 2].map((input) => client.task("batch.echo", input)))).toEqual([1, 2]);
    expect(test.requests).toEqual([batchPath]);

    const echo = r.task.phantom<number, Promise<number>>("batch.echo").build();
    const both = r
      .task("caller.both")
      .dependencies({ echo })
      .run(async (_input: void, deps) => Promise.all([deps.echo(1), deps.echo(2)]))
      .build();
    const tunnel = r.tunnel
      .client("caller.tunnel")
      .tasks([echo])
      .http(() => ({ baseUrl: test.baseUrl, auth: { token }, batch: { maxItems: 8 } }))
      .build();
    const { run } = await import("../../../node");
    await using app = await run(r.resource("caller").register([echo, both, tunnel]).build());

    expect(await app.runTask(both)).toEqual([1, 2]);
    expect(test.requests).toEqual([batchPath, batchPath]);
  });
});

describe("what is published of a batch", () => {
  it("is each of its calls, as a request of the server and as a call of the client", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();
    using requests = listen("runner:request");
    using calls = listen("runner:call");

    await Promise.all([client.task("batch.echo", 1), client.safe("batch.crash")]);

    expect(requests.messages()).toMatchObject([
      { taskId: "batch.echo", origin: "exposure:http", status: 200, bytesIn: 11, bytesOut: 22 },
      { taskId: "batch.crash", status: 500, code: "INTERNAL_ERROR" },
    ]);
    expect(calls.messages()).toMatchObject([
      { taskId: "batch.echo", path: "/__runner/task/batch.echo", status: 200 },
      { taskId: "batch.crash", status: 500, code: "INTERNAL_ERROR" },
    ]);
  });

  it("is the request itself where it is refused as a whole", async () => {
    await using test = await startBatchTest();
    using requests = listen("runner:request");

    await (await test.post("nonsense")).text();
    await (await test.post("nonsense", { "x-runner-token": "guessed" })).text();

    expect(requests.messages()).toMatchObject([
      { status: 400, code: "INVALID_BATCH" },
      { status: 401, code: "UNAUTHORIZED" },
    ]);
    expect(requests.messages().every((each) => !("taskId" in each))).toBe(true);
  });
});

describe("a server that ends while a batch is under way", () => {
  it("answers the calls that end in time, and those that do not with SERVER_CLOSING", async () => {
    await using test = await startBatchTest({ drain: { quietMs: 0, graceMs: 200 } });
    await using client: MixedHttpClient = test.connect();
    using time = stopTime();

    const calls = ["in time", "never"].map((name) => client.safe("batch.wait", name));
    await Promise.all(["in time", "never"].map((name) => test.doors.of(name).arrived.promise));
    const closing = test.exposure.handlers.close();
    test.doors.of("in time").opened.resolve();
    await calls[0];
    for (let isClosed = false; !isClosed; await new Promise(setImmediate)) {
      time.advance(10);
      isClosed = test.exposure.handlers.phase === "closed";
    }

    expect(await Promise.all(calls)).toMatchObject([{ ok: true, value: "in time" }, { value: "aborted" }]);
    await closing;
  });
});
