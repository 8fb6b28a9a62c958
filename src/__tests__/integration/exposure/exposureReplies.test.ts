import { EventEmitter, once } from "node:events";
import { PassThrough, Readable, Transform } from "node:stream";
import { r, respondStream, useExposureContext } from "../../../node/index";
import { watchUncaught } from "../../support/watchUncaught";
import { createDeferred } from "../../support/deferred";
import { rawPost, startExposure } from "../../support/exposure";

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();

describe("a task that answers by itself", () => {
  it("a task that answers by itself gets no envelope after what it pipes in the background", async () => {
    using calm = watchUncaught();
    const shout = task("shout", () => {
      const { req, res } = useExposureContext();
      const upper = new Transform({ transform: (chunk, _encoding, done) => done(null, String(chunk).toUpperCase()) });
      req.pipe(upper).pipe(res);
    });
    await using exposure = await startExposure([shout]);

    const reply = await exposure.post("/__runner/task/shout", "quiet", { "content-type": "application/octet-stream" });

    expect(await reply.text()).toBe("QUIET");
    expect(calm.seen).toEqual([]);
  });

  it("a task that answers by itself has its response ended, and a warning, when it also returns a value", async () => {
    const both = task("both", () => {
      useExposureContext().res.write("mine");
      return { also: "this" };
    });
    await using exposure = await startExposure([both]);

    const reply = await exposure.post("/__runner/task/both");

    expect(await reply.text()).toBe("mine");
    const warnings = exposure.logs.filter(({ level }) => level === "warn").map(({ message }) => String(message));
    expect(warnings).toContain("exposure.task.dropped: the task wrote its own response and also returned a value.");
  });

  it("a task that answers by itself may go on after it returned nothing", async () => {
    const later = task("later", () => {
      const { res } = useExposureContext();
      res.write("now;");
      setImmediate(() => res.end("then"));
    });
    await using exposure = await startExposure([later]);

    expect(await (await exposure.post("/__runner/task/later")).text()).toBe("now;then");
  });

  it("a task that answers by itself still gets an envelope when it only looked at the response", async () => {
    const look = task("look", () => useExposureContext().res.headersSent);
    await using exposure = await startExposure([look]);

    const reply = await exposure.post("/__runner/task/look");

    expect(await reply.json()).toEqual({ ok: true, result: false });
    expect(reply.headers.get("x-frame-options")).toBe("DENY");
  });

  it("a task that answers by itself is cut when it fails after writing, so that its caller does not take half for whole", async () => {
    const half = task("half", () => {
      useExposureContext().res.write("half");
      throw new Error("broken");
    });
    await using exposure = await startExposure([half]);

    await expect(exposure.post("/__runner/task/half").then((reply) => reply.text())).rejects.toThrow();
    expect(exposure.logs.filter(({ message }) => message === "exposure.task.error")).toHaveLength(1);
  });

  it("a task that answers by itself may override the headers it starts from", async () => {
    const own = task("own", () => {
      useExposureContext().res.writeHead(202, { "x-frame-options": "SAMEORIGIN" }).end("ok");
    });
    await using exposure = await startExposure([own]);

    const { headers } = await exposure.post("/__runner/task/own");

    expect([headers.get("x-frame-options"), headers.get("access-control-allow-origin")]).toEqual(["SAMEORIGIN", "*"]);
  });

  it("a task that answers by itself streams with respondStream, with or without naming the response", async () => {
    const push = task("push", () => respondStream(Readable.from(["a"], { objectMode: false })));
    const wrap = task("wrap", () => {
      const stream = Readable.from(["b"], { objectMode: false });
      respondStream(useExposureContext().res, { stream, status: 201, contentType: "text/plain" });
    });
    await using exposure = await startExposure([push, wrap]);

    const pushed = await exposure.post("/__runner/task/push");
    const wrapped = await exposure.post("/__runner/task/wrap");

    expect([await pushed.text(), pushed.headers.get("content-type")]).toEqual(["a", "application/octet-stream"]);
    expect([await wrapped.text(), wrapped.status, wrapped.headers.get("content-type")]).toEqual([
      "b",
      201,
      "text/plain",
    ]);
  });
});

describe("a streamed result", () => {
  const kinds: [string, () => unknown][] = [
    ["a Node stream", () => Readable.from(["a", "b"], { objectMode: false })],
    ["a web stream", () => new Blob(["ab"]).stream()],
    [
      "an async generator of text and bytes",
      async function* generate() {
        yield "a";
        yield Buffer.from("b");
      },
    ],
    ["one of them with a head", () => ({ stream: new Blob(["ab"]).stream() })],
  ];

  it.each(kinds)("a streamed result may be %s", async (_kind, make) => {
    await using exposure = await startExposure([task("stream", make)]);

    const reply = await exposure.post("/__runner/task/stream");

    expect([await reply.text(), reply.headers.get("content-type")]).toEqual(["ab", "application/octet-stream"]);
  });

  it.each([
    ["a Buffer", () => Buffer.from("x"), { __type: "Buffer", value: [120] }],
    ["an object with a stream that is none", () => ({ stream: 5 }), { stream: 5 }],
  ])("a streamed result is not %s", async (_kind, make, result) => {
    await using exposure = await startExposure([task("value", make)]);

    expect(await (await exposure.post("/__runner/task/value")).json()).toEqual({ ok: true, result });
  });

  it("a streamed result that fails midway cuts the reply and spares the process", async () => {
    using calm = watchUncaught();
    const breaking = task("breaking", () =>
      Readable.from(
        (async function* generate() {
          yield Buffer.from("start");
          throw new Error("disk on fire");
        })(),
      ),
    );
    await using exposure = await startExposure([breaking]);

    await expect(exposure.post("/__runner/task/breaking").then((reply) => reply.text())).rejects.toThrow();
    expect(exposure.logs.filter(({ message }) => message === "exposure.http.broken")).toHaveLength(1);
    expect((await exposure.post("/__runner/task/none")).status).toBe(403);
    expect(calm.seen).toEqual([]);
  });

  it("a streamed result that is not read any more is destroyed", async () => {
    const endless = new PassThrough();
    await using exposure = await startExposure([task("endless", () => endless)]);
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/endless", "{}"));
    endless.write("x");
    await connection.until(/x/);

    const closed = new Promise<void>((resolve) => endless.on("error", () => {}).once("close", resolve));
    connection.socket.destroy();

    await closed;
    expect(endless.destroyed).toBe(true);
  });

  it("a streamed result with a head that cannot be sent is an internal error", async () => {
    const odd = task("odd", () => ({ stream: Readable.from(["x"]), status: 7 }));
    await using exposure = await startExposure([odd]);

    expect((await exposure.post("/__runner/task/odd")).status).toBe(500);
  });
});

describe("a caller that leaves", () => {
  it("a caller that leaves aborts the signals of the context, of the task and of tasks it calls", async () => {
    const events = new EventEmitter();
    const inner = r
      .task("inner")
      .run(async (_input: void, _deps, { signal } = never) => once(signal, "abort").then(() => events.emit("inner")))
      .build();
    const outer = r
      .task("outer")
      .dependencies({ inner })
      .run(async (_input: void, deps, { signal } = never) => {
        const context = useExposureContext();
        const all = Promise.all([once(signal, "abort"), once(context.signal, "abort"), deps.inner()]);
        events.emit("started");
        await all;
        events.emit("aborted", context.signal.reason);
      })
      .build();
    await using exposure = await startExposure([outer], {}, [inner]);
    const started = once(events, "started");
    const aborted = once(events, "aborted");
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/outer", "{}"));
    await started;

    connection.socket.destroy();

    const [reason] = (await aborted) as [Error];
    expect([reason.name, reason.message]).toEqual(["runner.errors.cancellation", "Client Closed Request"]);
  });

  it("a caller that leaves is told apart from one whose reply was sent", async () => {
    const signals: AbortSignal[] = [];
    const closed = createDeferred();
    const keep = task("keep", () => {
      const { signal, res } = useExposureContext();
      signals.push(signal);
      res.once("close", () => setImmediate(closed.resolve));
    });
    await using exposure = await startExposure([keep]);

    await (await exposure.post("/__runner/task/keep")).text();
    await closed.promise;

    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });

  it("a caller that leaves in the middle of its body keeps the task from running", async () => {
    let runs = 0;
    await using exposure = await startExposure([task("count", () => (runs += 1))]);
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/count", '{"input":1}').slice(0, -3));
    await new Promise<void>((resolve) => connection.socket.end(resolve));
    await connection.closed;

    await exposure.post("/__runner/task/count");

    expect(runs).toBe(1);
  });
});

const never = undefined as never;
