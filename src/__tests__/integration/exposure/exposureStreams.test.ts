import { once } from "node:events";
import { createReadStream } from "node:fs";
import { get } from "node:http";
import { Readable } from "node:stream";
import { brotliCompressSync } from "node:zlib";
import { r, respondStream, useExposureContext } from "../../../node/index";
import { watchUncaught } from "../../support/watchUncaught";
import { createDeferred, type Deferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import {
  formHeaders,
  formOf,
  filePart,
  manifestPart,
  rawPost,
  sentinel,
  startExposure,
  type TestExposure,
} from "../../support/exposure";
import { startStreamingPeer } from "../../support/httpPeer";
import { soon } from "../../support/soon";

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();

/** A failing version leaves its caller waiting; disposal then cuts what it waits for. */
const limits = { closeMs: 50 };

const brokenLogs = ({ logs }: TestExposure) => logs.filter(({ message }) => message === "exposure.http.broken");

describe("a stream that is not sent is released", () => {
  const kinds: [string, (released: () => void) => unknown][] = [
    ["a web stream", (released) => new ReadableStream<Uint8Array>({ cancel: released })],
    ["a stream of Node", (released) => new Readable({ read() {} }).once("close", released)],
    ["a file that is not there", (released) => createReadStream("/no/such/file").once("close", released)],
    ["one with a head", (released) => ({ stream: new Readable({ read() {} }).once("close", released) })],
  ];

  /** A task that returns once it is told to. */
  const lateTask = (returned: Promise<unknown>, started: Deferred) =>
    r
      .task("late")
      .run(async (_input: unknown): Promise<unknown> => {
        // Keeps the exposure from learning of it by another way.
        void useExposureContext().signal;
        started.resolve();
        return returned;
      })
      .build();

  it.each(kinds)("a stream that is not sent is released when its caller has left: %s", async (_kind, make) => {
    using calm = watchUncaught();
    const [started, left, released] = [createDeferred(), createDeferred(), createDeferred()];
    const late = task("late", async () => {
      const aborted = once(useExposureContext().signal, "abort");
      started.resolve();
      await aborted;
      left.resolve();
      return make(released.resolve);
    });
    await using exposure = await startExposure([late], { limits });
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/late", "{}"));
    await soon(started.promise);

    connection.socket.destroy();
    await soon(left.promise);

    await soon(released.promise);
    expect(calm.seen).toEqual([]);
  });

  it.each(kinds)(
    "a stream that is not sent is released when the form broke while its task ran: %s",
    async (_kind, make) => {
      using calm = watchUncaught();
      const [started, released, returned] = [createDeferred(), createDeferred(), createDeferred<unknown>()];
      await using exposure = await startExposure([lateTask(returned.promise, started)], { limits });
      const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "x")).toString();
      const connection = exposure.connect();
      const request = rawPost("/__runner/task/late", form, [`Content-Type: ${formHeaders["content-type"]}`]);
      connection.write(request.slice(0, -10));
      await soon(started.promise);

      connection.write("x".repeat(10));
      await soon(connection.until(/INVALID_MULTIPART/));
      returned.resolve(make(released.resolve));

      await soon(released.promise);
      expect(calm.seen).toEqual([]);
    },
  );

  it.each(kinds)(
    "a stream that is not sent is released when its task has answered by itself: %s",
    async (_kind, make) => {
      using calm = watchUncaught();
      const released = createDeferred();
      const both = task("both", () => {
        useExposureContext().res.end("mine");
        return make(released.resolve);
      });
      await using exposure = await startExposure([both], { limits });

      expect(await (await soon(exposure.post("/__runner/task/both"))).text()).toBe("mine");

      await soon(released.promise);
      expect(calm.seen).toEqual([]);
    },
  );
});

describe("a stream that breaks off", () => {
  it.each<[string, (upstream: Readable) => unknown]>([
    ["returned", (upstream) => upstream],
    ["given to respondStream", (upstream) => respondStream(upstream)],
  ])("a stream that breaks off is logged, even if its own source was reset: one that is %s", async (_how, reply) => {
    await using upstream = await startStreamingPeer((_request, response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write("some", () => response.socket?.resetAndDestroy());
    });
    const relay = task("relay", async () => {
      const [message] = (await once(get(upstream.origin), "response")) as [Readable];
      return reply(message);
    });
    await using exposure = await startExposure([relay], { limits });

    await rejectionOf(soon(exposure.post("/__runner/task/relay").then((response) => response.text())));

    expect(brokenLogs(exposure)).toHaveLength(1);
  });

  it("a stream that breaks off because its caller left is not", async () => {
    const closed = createDeferred();
    const endless = task("endless", () => {
      const stream = new Readable({ read() {} }).on("close", closed.resolve);
      stream.push("x");
      return stream;
    });
    await using exposure = await startExposure([endless], { limits });
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/endless", "{}"));
    await soon(connection.until(/x/));

    connection.socket.destroy();
    await soon(closed.promise);
    await new Promise(setImmediate);

    expect(brokenLogs(exposure)).toEqual([]);
  });
});

it("a streamed result leaves a stream as it is that its task has encoded", async () => {
  const encoded = task("encoded", () => {
    useExposureContext().res.setHeader("Content-Encoding", "br");
    return Readable.from([brotliCompressSync("plain")]);
  });
  await using exposure = await startExposure([encoded], { limits, compression: { responses: true } });

  const reply = await exposure.post("/__runner/task/encoded", "{}", { "accept-encoding": "br" });

  expect([reply.headers.get("content-encoding"), await reply.text()]).toEqual(["br", "plain"]);
});

describe("the status of a stream", () => {
  it.each([100, 101, 199, 7, 1000])(
    "the status of a stream %d is no status of a reply, but an internal error",
    async (status) => {
      const odd = task("odd", () => ({ stream: Readable.from(["x"]), status }));
      await using exposure = await startExposure([odd], { limits });

      expect((await soon(exposure.post("/__runner/task/odd"))).status).toBe(500);
    },
  );

  it.each([204, 205, 304])(
    "the status of a stream %d means that there is nothing to send, and the stream is released",
    async (status) => {
      const released = createDeferred();
      const none = task("none", () => ({
        stream: new Readable({ read() {} }).once("close", released.resolve),
        status,
      }));
      await using exposure = await startExposure([none], { limits });

      const reply = await soon(exposure.post("/__runner/task/none"));

      expect([reply.status, await soon(reply.text())]).toEqual([status, ""]);
      await soon(released.promise);
    },
  );
});

describe("what only looks like a stream", () => {
  it.each<[string, () => unknown]>([
    ["the response itself", () => useExposureContext().res],
    ["an object that can pipe", () => ({ pipe() {}, subscribe() {} })],
    ["one of them with a head", () => ({ stream: { pipe() {} } })],
  ])("what only looks like a stream is a value that cannot be sent: %s", async (_what, make) => {
    await using exposure = await startExposure([task("odd", make)], { limits });

    const reply = await soon(exposure.post("/__runner/task/odd"));

    expect(reply.status).toBe(500);
    expect(exposure.logs.map(({ message }) => message)).toContain("exposure.task.error");
  });

  it("what only looks like a stream and is being read by something else is an internal error", async () => {
    const locked = task("locked", () => {
      const stream = new Blob(["x"]).stream();
      stream.getReader();
      return stream;
    });
    await using exposure = await startExposure([locked], { limits });

    expect((await soon(exposure.post("/__runner/task/locked"))).status).toBe(500);
  });

  it("what only looks like a stream is nothing where it is the response that a task has begun", async () => {
    const chain = task("chain", () => {
      const { res } = useExposureContext();
      setImmediate(() => res.end("later"));
      return res.writeHead(200);
    });
    await using exposure = await startExposure([chain], { limits });

    expect(await (await soon(exposure.post("/__runner/task/chain"))).text()).toBe("later");
    expect(exposure.logs.filter(({ level }) => level === "warn")).toEqual([]);
  });
});

it("a streamed result is an internal error when something else reads it", async () => {
  const locked = task("locked", () => {
    const stream = new ReadableStream();
    stream.getReader();
    return stream;
  });
  await using exposure = await startExposure([locked], { limits });

  expect((await soon(exposure.post("/__runner/task/locked"))).status).toBe(500);
  expect(exposure.logs.map(({ message }) => message)).toContain("exposure.task.error");
});

it("a streamed result may come with no headers of its own, in whatever way it says so", async () => {
  const bare = task("bare", () => ({ stream: Readable.from(["x"]), headers: null }));
  await using exposure = await startExposure([bare], { limits });

  expect(await (await soon(exposure.post("/__runner/task/bare"))).text()).toBe("x");
});
