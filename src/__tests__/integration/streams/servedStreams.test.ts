import { createServer, type Socket } from "node:net";
import { createHttpMixedClient, createHttpSmartClient, r } from "../../../node";
import { rawPost, startExposure, token, type TestExposure } from "../../support/exposure";
import { soon } from "../../support/soon";
import { stopTime } from "../../support/stopTime";
import { collect, definitions, echo, endless, failing, numbers, seen } from "./streamDefinitions";

const accept = "application/x-runner-items+ndjson";
const baseUrlOf = ({ port }: TestExposure): string => `http://127.0.0.1:${port}/__runner`;
const clientOf = (exposure: TestExposure, options: { maxConnections?: number; silenceMs?: number } = {}) =>
  createHttpMixedClient({ baseUrl: baseUrlOf(exposure), auth: { token }, ...options });
const turn = (): Promise<void> => new Promise(setImmediate);

/** Yields once, then waits for its caller to leave. */
const waiting = r
  .task("app.waiting")
  .stream(async function* (_input: undefined, _dependencies, { signal }) {
    yield "here";
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    seen.push("aborted");
  })
  .build();

/** Nothing comes of it until it is aborted. */
const silent = r
  .task("app.silent")
  .stream(async function* (_input: undefined, _dependencies, { signal }) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    yield "late";
  })
  .build();

const all = [...definitions, waiting, silent];

beforeEach(() => void seen.splice(0));

describe("items over HTTP", () => {
  it("have a head that keeps proxies from holding them back, and lines that anything can read", async () => {
    await using exposure = await startExposure(all);

    const reply = await exposure.post("/__runner/task/app.numbers", '{"input":{"from":1,"to":2}}', { accept });

    expect(reply.status).toBe(200);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "content-type": accept,
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      "x-runner-heartbeat-ms": "15000",
    });
    expect(await reply.text()).toBe('{"item":1}\n{"item":2}\n{"ok":true,"result":{"total":3}}\n');
  });

  it("are an ordinary envelope when the task fails before the first one", async () => {
    await using exposure = await startExposure(all);

    const reply = await exposure.post("/__runner/task/app.failing", '{"input":{"after":0,"how":"opaque"}}', { accept });

    expect(reply.status).toBe(500);
    expect(await reply.json()).toEqual({ ok: false, error: { message: "Internal Error", code: "INTERNAL_ERROR" } });
  });

  it("are refused with 406 to callers that take anything, and nothing runs", async () => {
    await using exposure = await startExposure(all);

    const reply = await exposure.post("/__runner/task/app.waiting", "{}", { accept: "*/*" });

    expect(reply.status).toBe(406);
    expect(await reply.json()).toMatchObject({ error: { code: "NOT_ACCEPTABLE" } });
    expect(seen).toEqual([]);
  });

  it("send their head after a second though no item is there, and then heartbeats", async () => {
    await using exposure = await startExposure(all, { limits: { streams: { heartbeatMs: 20 } } });
    const connection = exposure.connect();

    connection.write(rawPost("/__runner/task/app.silent", "{}", [`accept: ${accept}`]));

    const received = await connection.until(/\r\n1\r\n\n\r\n1\r\n\n\r\n/);
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    connection.socket.destroy();
  });

  it("do not count as calls in flight, and are limited by a number of their own", async () => {
    await using exposure = await startExposure(all, { limits: { inFlight: 1, streams: { open: 2 } } });
    await using client = clientOf(exposure);
    const open = [client.stream(waiting), client.stream(waiting)].map((each) => each[Symbol.asyncIterator]());
    for (const each of open) await each.next();

    await expect(client.task("app.plain")).resolves.toBe("no items");
    await expect(collect(client.stream(waiting))).rejects.toMatchObject({
      code: "OVERLOADED",
      data: { limit: "streams" },
    });

    await open[0]?.return();
    while (seen.length === 0) await turn();
    await expect(collect(client.stream(numbers, { from: 1, to: 1 }))).resolves.toEqual([1]);
    await open[1]?.return();
  });

  it("have connections of their own, so that calls do not wait for them", async () => {
    await using exposure = await startExposure(all);
    await using client = clientOf(exposure, { maxConnections: 1 });
    const open = [client.stream(waiting), client.stream(waiting)].map((each) => each[Symbol.asyncIterator]());
    for (const each of open) await soon(each.next());

    await expect(soon(client.task("app.plain"))).resolves.toBe("no items");

    for (const each of open) await each.return();
  });

  it("end with SERVER_CLOSING when the server waits for its calls no longer", async () => {
    const exposure = await startExposure(all, { drain: { quietMs: 0, graceMs: 1 } });
    await using client = clientOf(exposure);
    const items = client.stream(waiting)[Symbol.asyncIterator]();
    await items.next();
    const next = items.next();

    const disposing = exposure[Symbol.asyncDispose]();

    await expect(next).rejects.toMatchObject({ code: "SERVER_CLOSING" });
    await disposing;
    expect(seen).toEqual(["aborted"]);
  });

  it("that are longer than a line may be end with ITEM_TOO_LARGE", async () => {
    await using exposure = await startExposure(all, { limits: { streams: { lineBytes: 1000 } } });
    await using client = clientOf(exposure);
    const items: unknown[] = [];
    const reading = (async () => {
      for await (const item of client.stream(echo, ["a", "é".repeat(500), "b"])) items.push(item);
    })();

    await expect(reading).rejects.toMatchObject({ code: "ITEM_TOO_LARGE", data: { limitBytes: 1000 } });
    expect(items).toEqual(["a"]);
  });

  it("stop being made while their reader takes none", async () => {
    let made = 0;
    const large = r
      .task("app.large")
      .stream(async function* () {
        for (;;) {
          made += 1;
          yield "x".repeat(64 * 1024);
        }
      })
      .build();
    await using exposure = await startExposure([large]);
    const connection = exposure.connect();
    connection.socket.pause();
    connection.write(rawPost("/__runner/task/app.large", "{}", [`accept: ${accept}`]));
    let before = -1;
    while (before !== made || made === 0) {
      before = made;
      for (let turns = 0; turns < 200; turns += 1) await turn();
    }

    expect(made * 64 * 1024).toBeLessThan(8 * 1024 * 1024);
    connection.socket.destroy();
  });

  it("let the process go on beside a source that never pauses", async () => {
    await using exposure = await startExposure(all);
    await using client = clientOf(exposure);
    const items = client.stream(endless)[Symbol.asyncIterator]();
    let count = 0;
    let isOver = false;
    const reading = (async () => {
      while (!isOver) {
        await items.next();
        count += 1;
      }
    })();
    for (let calls = 0; calls < 20; calls += 1) await soon(client.task("app.plain"));
    isOver = true;
    await reading;
    await items.return();

    expect(count).toBeGreaterThan(20);
  });

  it("compressed, where both sides ask for that, come as they are made", async () => {
    await using exposure = await startExposure(all, { compression: { responses: { threshold: 0 } } });
    await using client = createHttpSmartClient({
      baseUrl: baseUrlOf(exposure),
      auth: { token },
      compression: { responses: true },
    });
    const items = client.stream(waiting)[Symbol.asyncIterator]();

    expect(await soon(items.next())).toEqual({ done: false, value: "here" });
    await items.return();
  });

  it("report what is not sent to the caller, once", async () => {
    await using exposure = await startExposure(all);
    await using client = clientOf(exposure);

    await expect(collect(client.stream(failing, { after: 1, how: "opaque" }))).rejects.toMatchObject({
      code: "INTERNAL_ERROR",
    });

    const reported = exposure.logs.filter(({ message }) => String(message).startsWith("exposure.task.error"));
    expect(reported).toHaveLength(1);
  });
});

describe("streams of servers that misbehave", () => {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${accept}\r\ntransfer-encoding: chunked\r\n\r\n`;
  const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

  async function readFrom(answer: (socket: Socket) => void, silenceMs?: number) {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => answer(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const client = createHttpMixedClient({ baseUrl: `http://127.0.0.1:${port}`, silenceMs });
    const items: unknown[] = [];
    try {
      for await (const item of client.stream("app.any")) items.push(item);
      return { items, code: undefined };
    } catch (error) {
      return { items, code: (error as { code?: unknown }).code };
    } finally {
      await client.close({ signal: AbortSignal.abort() });
      server.close();
    }
  }

  it("a connection that is reset loses the stream", async () => {
    const outcome = await readFrom((socket) => {
      socket.write(head + chunk('{"item":1}\n'), () => setImmediate(() => socket.resetAndDestroy()));
    });

    expect(outcome.code).toBe("STREAM_LOST");
  });

  it("a reply that ends in the middle of a line loses the stream", async () => {
    const outcome = await readFrom((socket) => socket.end(`${head}${chunk('{"item":1}\n{"ite')}0\r\n\r\n`));

    expect(outcome).toEqual({ items: [1], code: "STREAM_LOST" });
  });

  it("a connection that is closed before the reply ends loses the stream", async () => {
    const outcome = await readFrom((socket) => socket.end(head + chunk('{"item":1}\n')));

    expect(outcome.code).toBe("STREAM_LOST");
  });

  it("silence for longer than a client waits loses the stream", async () => {
    const outcome = await readFrom((socket) => void socket.write(head + chunk('{"item":1}\n')), 20);

    expect(outcome).toEqual({ items: [1], code: "STREAM_LOST" });
  });

  it("heartbeats are no silence, and bytes after the end are nothing", async () => {
    using time = stopTime();
    const outcome = await readFrom((socket) => {
      socket.write(head);
      void (async () => {
        for (let beats = 0; beats < 4; beats += 1) {
          // Far more turns than it takes the client to have read what was written.
          for (let turns = 0; turns < 50; turns += 1) await turn();
          time.advance(50);
          socket.write(chunk("\n"));
        }
        socket.end(`${chunk('{"item":1}\n{"ok":true}\n{"item":2}\nnope')}0\r\n\r\n`);
      })();
    }, 150);

    expect(outcome).toEqual({ items: [1], code: undefined });
  });
});
