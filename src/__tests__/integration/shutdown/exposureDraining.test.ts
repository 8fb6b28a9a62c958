import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isCancellationError } from "../../../errors/index";
import {
  createHttpMixedClient,
  r,
  useExposureContext,
  type NodeExposureHandlers,
  type NodeExposureHttpConfig,
} from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import { rawPost, startExposure, token } from "../../support/exposure";
import { rejectionOf } from "../../support/failures";
import { soon } from "../../support/soon";

const task = (id: string, body: (input: unknown, signal: AbortSignal) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown, _deps, { signal }): Promise<unknown> => body(input, signal))
    .build();
const hello = task("hello", () => "hi");
const headers = { "x-runner-token": token };
const helloRequest = rawPost("/__runner/task/hello", "{}");

/** A task that runs until it is released. */
function createSlow() {
  const [started, release] = [createDeferred(), createDeferred<unknown>()];
  const slow = task("slow", () => {
    started.resolve();
    return release.promise;
  });
  return { slow, started: started.promise, release: release.resolve };
}

/** A task that runs until its signal aborts. */
function createPatient() {
  const [started, aborted] = [createDeferred(), createDeferred<unknown>()];
  const patient = task("patient", (_input, signal) => {
    started.resolve();
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        aborted.resolve(signal.reason);
        reject(signal.reason as Error);
      });
    });
  });
  return { patient, started: started.promise, aborted: aborted.promise };
}

/** A server of one's own, on a free port. */
async function listen(server: Server): Promise<{ post(path: string): Promise<Response> } & AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    post: (path) => fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body: "{}" }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const describeReply = async (reply: Response) => [
  reply.status,
  ((await reply.json()) as { error?: { code: string } }).error?.code,
  reply.headers.get("connection"),
];
const refusal = [503, "SERVER_CLOSING", "close"];

describe("an exposure that drains", () => {
  it("an exposure that drains serves a request that a connection brings within quietMs, and ends the connection with its reply", async () => {
    await using exposure = await startExposure([hello], { drain: { quietMs: 10_000 } });
    const connection = exposure.connect();
    connection.write(helloRequest);
    await connection.until(/"hi"/);

    const closed = exposure.handlers.close();
    connection.write(helloRequest);
    const received = await soon(connection.closed);

    expect(received.match(/HTTP\/1.1 200/g)).toHaveLength(2);
    expect(received.toLowerCase().match(/^connection: .*$/gm)).toEqual(["connection: keep-alive", "connection: close"]);
    // No connection is left, so nothing can be on its way.
    await soon(closed);
  });

  it("an exposure that drains closes connections that stay idle for quietMs, while a call goes on", async () => {
    const { slow, started, release } = createSlow();
    await using exposure = await startExposure([hello, slow], { drain: { quietMs: 20 } });
    const idle = exposure.connect();
    idle.write(helloRequest);
    await idle.until(/"hi"/);
    const running = exposure.post("/__runner/task/slow");
    await started;

    const closed = exposure.handlers.close();
    await soon(idle.closed);
    release("done");

    expect(await (await running).json()).toEqual({ ok: true, result: "done" });
    await soon(closed);
  });

  it("an exposure that drains accepts connections, and lets them go on, for delayMs", async () => {
    await using exposure = await startExposure([hello], { drain: { delayMs: 1000, quietMs: 0 } });
    const { handlers } = exposure;

    const closed = handlers.close();
    const reply = await exposure.post("/__runner/task/hello");

    expect([reply.status, reply.headers.get("connection"), handlers.phase]).toEqual([200, "keep-alive", "draining"]);
    await closed;
    expect(handlers.phase).toBe("closed");
  });

  it("an exposure that drains aborts the signals of calls after graceMs, which their callers are told as 503", async () => {
    const { patient, started, aborted } = createPatient();
    await using exposure = await startExposure([patient], { drain: { graceMs: 20 } });
    const running = exposure.post("/__runner/task/patient");
    await started;

    await exposure.handlers.close();

    expect(await describeReply(await running)).toEqual(refusal);
    const reason = await aborted;
    expect([isCancellationError(reason), (reason as Error).message]).toEqual([true, "The server is closing"]);
  });

  it("an exposure that drains aborts the signal of a call that looks at it later, too", async () => {
    const { patient, started: patientStarted, aborted } = createPatient();
    const { slow, started, release } = createSlow();
    const late = r
      .task("late")
      .dependencies({ slow })
      .run(async (_input: void, deps, call) => {
        await deps.slow(undefined);
        return call.signal.aborted;
      })
      .build();
    await using exposure = await startExposure([late, slow, patient], { drain: { graceMs: 20 } });
    const running = exposure.post("/__runner/task/late");
    void exposure.post("/__runner/task/patient");
    await Promise.all([started, patientStarted]);

    const closed = exposure.handlers.close();
    await aborted;
    release("done");

    expect(await (await running).json()).toEqual({ ok: true, result: true });
    await soon(closed);
  });

  it("an exposure that drains cuts a call that ignores its signal, on a server that it does not own as well", async () => {
    const { slow, started } = createSlow();
    const server = createServer();
    await using exposure = await startExposure([slow], { listen: undefined, server, drain: { graceMs: 20 } });
    await using peer = await listen(server);
    const running = rejectionOf(peer.post("/__runner/task/slow"));
    await started;

    await exposure.handlers.close();

    expect((await running).message).toBe("fetch failed");
  });

  it("an exposure that drains ends a connection with the last of the requests that were sent ahead", async () => {
    const [started, release] = [createDeferred(), createDeferred()];
    const first = task("first", async () => {
      started.resolve();
      await release.promise;
    });
    await using exposure = await startExposure([hello, first], { drain: { quietMs: 10_000 } });
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/first", "{}") + helloRequest + helloRequest);
    await started.promise;

    const closed = exposure.handlers.close();
    release.resolve();
    const received = await soon(connection.closed);

    expect(received.match(/HTTP\/1.1 200/g)).toHaveLength(3);
    expect(received.match(/^connection: close/gim)).toHaveLength(1);
    await soon(closed);
  });

  it("an exposure that drains runs nothing for a request that was sent behind the one whose reply ends the connection", async () => {
    let runs = 0;
    const [started, release] = [createDeferred(), createDeferred()];
    const begun = r
      .task("begun")
      .run(async () => {
        // Its head is sent with this.
        const { res } = useExposureContext();
        res.write("begun;");
        started.resolve();
        await release.promise;
        res.end("done");
      })
      .build();
    const count = task("count", () => (runs += 1));
    await using exposure = await startExposure([begun, count], { drain: { quietMs: 10_000 } });
    const idle = exposure.connect();
    idle.write(rawPost("/__runner/task/count", "{}"));
    await idle.until(/"result":1/);

    const closed = exposure.handlers.close();
    idle.write(rawPost("/__runner/task/begun", "{}"));
    await started.promise;
    idle.write(rawPost("/__runner/task/count", "{}"));
    const arrived = new Promise((resolve) => exposure.handlers.server?.once("request", resolve));
    await soon(arrived);
    release.resolve();

    expect(await soon(idle.closed)).toContain("done");
    expect(runs).toBe(1);
    await soon(closed);
  });

  it("an exposure that drains sends a reply to its end that its reader has not taken yet", async () => {
    const large = "x".repeat(20_000_000);
    await using exposure = await startExposure([task("large", () => large)], { drain: { quietMs: 20 } });
    const [connection, idle] = [exposure.connect(), exposure.connect()];
    connection.write(rawPost("/__runner/task/large", "{}"));
    await connection.until(/^HTTP/);
    connection.socket.pause();

    const closed = exposure.handlers.close();
    await soon(idle.closed);
    connection.socket.resume();
    const received = await soon(connection.closed);

    expect(received.length).toBeGreaterThan(large.length);
    await soon(closed);
  });
});

describe("an exposure that is mounted on a server that it does not own", () => {
  const mounts: [string, (handlers: NodeExposureHandlers) => RequestListener][] = [
    ["attachTo", () => () => {}],
    ["createRequestListener", (handlers) => handlers.createRequestListener()],
    ["handleRequest", (handlers) => (req, res) => void handlers.handleRequest(req, res)],
    ["handleTask", (handlers) => (req, res) => void handlers.handleTask(req, res)],
  ];

  it.each(mounts)(
    "an exposure that is mounted on a server that it does not own by %s serves within quietMs, then refuses while a call goes on, and when it has closed",
    async (name, mount) => {
      const { slow, started, release } = createSlow();
      await using exposure = await startExposure([hello, slow], { listen: undefined, drain: { quietMs: 500 } });
      const { handlers } = exposure;
      const server = createServer(mount(handlers));
      if (name === "attachTo") handlers.attachTo(server);
      await using peer = await listen(server);
      const running = peer.post("/__runner/task/slow");
      await started;

      const closed = handlers.close();
      const within = await peer.post("/__runner/task/hello");
      let later = await peer.post("/__runner/task/hello");
      while (later.status === 200) {
        await later.json();
        later = await peer.post("/__runner/task/hello");
      }
      const phase = handlers.phase;
      release("done");
      await soon(closed);
      const afterwards = await peer.post("/__runner/task/hello");

      expect([within.status, within.headers.get("connection"), phase]).toEqual([200, "close", "draining"]);
      expect(await describeReply(later)).toEqual(refusal);
      expect(later.headers.get("retry-after")).toBe("1");
      expect(await (await running).json()).toEqual({ ok: true, result: "done" });
      expect([await describeReply(afterwards), handlers.phase]).toEqual([refusal, "closed"]);
    },
  );

  it("an exposure that is mounted on a server that it does not own has not to be waited for when it has served nothing", async () => {
    await using exposure = await startExposure([hello], { listen: undefined, drain: { quietMs: 60_000 } });
    exposure.handlers.attachTo(createServer());

    await soon(exposure.handlers.close());

    expect(exposure.handlers.phase).toBe("closed");
  });

  it("an exposure that is mounted on a server that it does not own refuses discovery and unknown paths when it has closed, and replies to preflights", async () => {
    const server = createServer();
    const http: NodeExposureHttpConfig = { listen: undefined, server };
    await using exposure = await startExposure([hello], http);
    await using peer = await listen(server);
    await exposure.handlers.close();
    const { port } = server.address() as AddressInfo;

    const [discovery, unknown] = [await peer.post("/__runner/discovery"), await peer.post("/__runner/nothing")];
    const preflight = await fetch(`http://127.0.0.1:${port}/__runner/task/hello`, { method: "OPTIONS" });

    expect([await describeReply(discovery), await describeReply(unknown), preflight.status]).toEqual([
      refusal,
      refusal,
      204,
    ]);
  });
});

it("a call that a server gave up after it had begun is not made once more by a pool of endpoints", async () => {
  const started: string[] = [];
  const begun = createDeferred();
  const hang = (name: string) =>
    r
      .task("hang")
      .run(async (_input: unknown, _dependencies, { signal }) => {
        started.push(name);
        begun.resolve();
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      })
      .build();
  await using first = await startExposure([hang("first")], { drain: { graceMs: 20 } });
  await using second = await startExposure([hang("second")], { drain: { graceMs: 20 } });
  const endpoints = [first, second].map(({ port }) => `http://127.0.0.1:${port}/__runner`);
  await using client = createHttpMixedClient({ endpoints, auth: { token } });
  const failure = rejectionOf(client.task("hang"));
  await begun.promise;

  await (started[0] === "first" ? first : second).handlers.close();

  expect(await failure).toMatchObject({ code: "SERVER_CLOSING", details: { delivered: "unknown" } });
  expect(started).toHaveLength(1);
});
