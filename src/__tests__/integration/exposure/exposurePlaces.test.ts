import { Readable } from "node:stream";
import { globals, nodeExposure, r, useExposureContext, type NodeExposureHttpConfig } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import { rawPost, startExposure, token, type TestExposure } from "../../support/exposure";
import { until } from "../../support/turns";
import { soon } from "../../support/soon";
import { stopTime } from "../../support/stopTime";

const limits = { closeMs: 50, replyIdleMs: 100 };
const MiB = 1024 * 1024;

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();
const hello = task("hello", () => "hello");
const statusOf = async (exposure: TestExposure): Promise<number> =>
  (await exposure.post("/__runner/task/hello")).status;

/** Waits until a call is answered with a status; each try takes a round trip. */
async function untilStatus(exposure: TestExposure, status: number, afterEach = (): void => {}): Promise<void> {
  while ((await statusOf(exposure)) !== status) afterEach();
}

describe("A caller that leaves gives its place back at once", () => {
  const never = new Promise<never>(() => {});

  it("A caller that leaves gives its place back at once while a validator decides about it", async () => {
    const asked = createDeferred();
    const validator = r
      .task("validator")
      .tags([globals.tags.authValidator])
      .run(async () => {
        asked.resolve();
        return never;
      })
      .build();
    await using exposure = await startExposure([hello], { limits: { ...limits, inFlight: 1 } }, [validator]);
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/hello", "{}").replace(token, "another"));
    await soon(asked.promise);
    expect(await statusOf(exposure)).toBe(503);

    connection.socket.destroy();

    await untilStatus(exposure, 200);
  });

  it("A caller that leaves gives its place back at once while its body is read", async () => {
    await using exposure = await startExposure([hello], { limits: { ...limits, inFlight: 1 } });
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/hello", "{}").slice(0, -1));
    await untilStatus(exposure, 503);

    connection.socket.destroy();

    await untilStatus(exposure, 200);
  });

  it("A caller that leaves gives its place back at once while its task runs, which goes on with a signal that has aborted", async () => {
    const [started, aborted] = [createDeferred(), createDeferred()];
    const stubborn = task("stubborn", () => {
      useExposureContext().signal.addEventListener("abort", () => aborted.resolve());
      started.resolve();
      return never;
    });
    await using exposure = await startExposure([hello, stubborn], { limits: { ...limits, inFlight: 1 } });
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/stubborn", "{}"));
    await soon(started.promise);
    expect(await statusOf(exposure)).toBe(503);

    connection.socket.destroy();
    await soon(aborted.promise);

    await untilStatus(exposure, 200);
  });

  it("A caller that leaves gives its place back at once while its reply is sent", async () => {
    const open = task("open", () => {
      const stream = new Readable({ read() {} });
      stream.push("x");
      return stream;
    });
    await using exposure = await startExposure([hello, open], { limits: { ...limits, inFlight: 1 } });
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/open", "{}"));
    await soon(connection.until(/\r\n\r\n1\r\nx/));
    expect(await statusOf(exposure)).toBe(503);

    connection.socket.destroy();

    await untilStatus(exposure, 200);
  });

  it("A caller that leaves gives its place back at once and the tasks that go on without a caller have a limit of their own", async () => {
    const started: (() => void)[] = [];
    const stubborn = task("stubborn", () => {
      started.shift()?.();
      return never;
    });
    await using exposure = await startExposure([hello, stubborn], { limits: { ...limits, running: 3 } });
    for (let count = 0; count < 3; count += 1) {
      const begun = new Promise<void>((resolve) => started.push(resolve));
      const connection = exposure.connect();
      connection.write(rawPost("/__runner/task/stubborn", "{}"));
      await soon(begun);
      connection.socket.destroy();
    }

    const reply = await exposure.post("/__runner/task/hello");

    expect([reply.status, reply.headers.get("retry-after"), await reply.json()]).toMatchObject([
      503,
      "1",
      { error: { code: "OVERLOADED" } },
    ]);
  });
});

describe("A reader that takes nothing of its reply", () => {
  const large = task("large", () => "x".repeat(16 * MiB));
  const streams = task("streams", () => {
    const piece = Buffer.alloc(MiB, "x");
    return Readable.from(Array.from({ length: 16 }, () => piece));
  });
  const writes = task("writes", () => {
    const { res } = useExposureContext();
    res.write(Buffer.alloc(16 * MiB, "x"));
  });

  /** A connection that asks for something and reads nothing of what comes. */
  function ask(exposure: TestExposure, id: string) {
    const connection = exposure.connect();
    connection.socket.pause();
    connection.write(rawPost(`/__runner/task/${id}`, "{}"));
    return connection;
  }

  it.each(["large", "streams", "writes"])(
    "A reader that takes nothing of its reply is in flight, and cut after a while: %s",
    async (id) => {
      await using exposure = await startExposure([hello, large, streams, writes], {
        limits: { ...limits, inFlight: 1 },
      });
      using time = stopTime();

      const connection = ask(exposure, id);
      await untilStatus(exposure, 503);
      await untilStatus(exposure, 200, () => time.advance(limits.replyIdleMs / 4));

      const broken = exposure.logs.filter(({ message }) => message === "exposure.http.broken");
      expect(broken.map(({ data }) => data)).toMatchObject([
        { error: "The caller took nothing of its reply for http.limits.replyIdleMs." },
      ]);
      connection.socket.destroy();
    },
  );

  it.each(["large", "streams"])(
    "A reader that takes nothing of its reply is not one that reads slowly: %s",
    async (id) => {
      using time = stopTime();
      await using exposure = await startExposure([large, streams], { limits: { ...limits, replyIdleMs: 400 } });
      const connection = exposure.connect();
      let bytes = 0;
      const done = createDeferred();
      // So little at a time that the whole takes longer than a reader may take nothing.
      connection.socket.removeAllListeners("data").on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > 16 * MiB) done.resolve();
        connection.socket.pause();
        time.advance((40 * chunk.length) / MiB);
        setImmediate(() => connection.socket.resume());
      });

      connection.write(rawPost(`/__runner/task/${id}`, "{}"));
      await soon(done.promise);

      expect(exposure.logs.filter(({ message }) => message === "exposure.http.broken")).toEqual([]);
      connection.socket.destroy();
    },
  );

  it("A reader that takes nothing of its reply is not one that waits for a stream that is slow to go on", async () => {
    const go = createDeferred();
    const slow = task("slow", () =>
      (async function* generate() {
        yield "a";
        await go.promise;
        yield "b";
      })(),
    );
    await using exposure = await startExposure([slow, large], { limits });
    const reply = await exposure.post("/__runner/task/slow");
    // Another reader is cut meanwhile, which takes as long as nothing may be taken.
    const other = ask(exposure, "large");
    await until(() => exposure.logs.some(({ message }) => message === "exposure.http.broken"));
    go.resolve();

    expect(await soon(reply.text())).toBe("ab");
    other.socket.destroy();
  });
});

describe("What waits in memory has a budget", () => {
  const startConfig = (bad: NodeExposureHttpConfig["limits"]) => nodeExposure.with({ http: { limits: bad } });
  const start = (definitions: ReturnType<typeof task>[], http: NodeExposureHttpConfig["limits"]) =>
    startExposure([hello, ...definitions], { limits: { ...limits, replyIdleMs: 60_000, ...http } });

  it("What waits in memory has a budget for replies that are not taken, whose callers get 503 beyond it", async () => {
    const large = task("large", () => "x".repeat(16 * MiB));
    await using exposure = await start([large], { bufferedBytes: 20 * MiB });
    const first = exposure.connect();
    first.socket.pause();
    first.write(rawPost("/__runner/task/large", "{}"));

    let reply = await exposure.post("/__runner/task/large");
    while (reply.status === 200) {
      await reply.arrayBuffer();
      reply = await exposure.post("/__runner/task/large");
    }

    expect([reply.status, reply.headers.get("retry-after"), await reply.json()]).toEqual([
      503,
      "1",
      // The task has run, so that no client may take it for a call that was never taken.
      { ok: false, error: { message: "Too many bytes in flight", code: "OVERLOADED", data: { ran: true } } },
    ]);
    first.socket.destroy();
    await untilStatus(exposure, 200);
  });

  it("What waits in memory has a budget for bodies that are being read, which gives it back whatever becomes of them", async () => {
    await using exposure = await start([], { bufferedBytes: 1000 });
    const begin = (bytes: number) => {
      const connection = exposure.connect();
      const body = `{"input":"${"x".repeat(2000)}"}`;
      connection.write(rawPost("/__runner/task/hello", body).slice(0, bytes - body.length));
      return connection;
    };

    const [first, second] = [begin(900), begin(900)];
    const refused = await soon(Promise.race([first, second].map((each) => each.until(/OVERLOADED/))));

    expect(refused).toMatch(/^HTTP\/1.1 503 /);
    expect(refused).toContain("Too many bytes in flight");
    for (const each of [first, second]) each.socket.destroy();
    await untilStatus(exposure, 200);
  });

  it("What waits in memory has a budget by default a quarter of the heap, and is checked at boot", () => {
    expect(() => startConfig({ bufferedBytes: "lots" as never })).toThrow(/http\.limits\.bufferedBytes must be/);
    expect(() => startConfig({ replyIdleMs: -1 })).toThrow(/http\.limits\.replyIdleMs must be/);
    expect(() => startConfig({ running: null as never })).toThrow(/http\.limits\.running must be/);
  });
});
