import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { nodeExposure, r, run } from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import { rawPost, startExposure, token } from "../../support/exposure";
import { listenOn } from "../../support/listenOn";
import { soon } from "../../support/soon";
import { baseUrlOf, quiet, tunnelOf } from "../../support/tunnelPair";

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();
const hello = task("hello", () => "hi");
const headers = { "x-runner-token": token };

describe("a server that is attached to twice", () => {
  it("a server that is attached to twice runs each task once, and is served until the last one detaches", async () => {
    let runs = 0;
    await using exposure = await startExposure([task("count", () => (runs += 1))], { listen: undefined });
    const server = createServer();
    const detachers = [exposure.handlers.attachTo(server), exposure.handlers.attachTo(server)];
    await using peer = await listenOn(server);
    const call = () => fetch(`${peer.origin}/__runner/task/count`, { method: "POST", headers, body: "{}" });

    await call();
    detachers[0]?.();
    await call();
    detachers[1]?.();

    expect([runs, server.listenerCount("request")]).toEqual([2, 0]);
  });

  it("a server that is attached to twice is not released by what detached before", async () => {
    await using exposure = await startExposure([hello], { listen: undefined });
    const server = createServer();
    const detach = exposure.handlers.attachTo(server);
    detach();
    exposure.handlers.attachTo(server);
    detach();
    await using peer = await listenOn(server);

    const reply = await soon(fetch(`${peer.origin}/__runner/task/hello`, { method: "POST", headers, body: "{}" }));

    expect(reply.status).toBe(200);
  });

  it("a server that is attached to twice is served once if it is the exposure's own", async () => {
    let runs = 0;
    await using exposure = await startExposure([task("count", () => (runs += 1))]);
    exposure.handlers.attachTo(exposure.handlers.server as Server);

    await exposure.post("/__runner/task/count");

    expect(runs).toBe(1);
  });
});

describe("disposing of a run", () => {
  it("disposing of a run lets calls that its exposure serves end before it disposes of anything, the root included", async () => {
    const [started, release] = [createDeferred(), createDeferred()];
    const events: string[] = [];
    const slow = task("slow", async () => {
      started.resolve();
      await release.promise;
      return events.push("read");
    });
    const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token } } });
    const root = r
      .resource("app")
      .register([tunnelOf("tunnel", { mode: "server", tasks: ["slow"] }), exposure, slow])
      .dispose(async () => void events.push("disposed of"))
      .build();
    await using app = await run(root, quiet);
    const reply = fetch(`${baseUrlOf(app.getResourceValue(nodeExposure))}/task/slow`, { method: "POST", headers });
    await started.promise;

    const disposed = app.dispose();
    await new Promise(setImmediate);
    release.resolve();
    await disposed;

    expect(await (await reply).json()).toEqual({ ok: true, result: 1 });
    expect(events).toEqual(["read", "disposed of"]);
  });

  it("disposing of a run drains all of its exposures at once", async () => {
    const [started, release] = [createDeferred<number>(), createDeferred()];
    let count = 0;
    const slow = task("slow", async () => {
      count += 1;
      if (count === 2) started.resolve(count);
      await release.promise;
      return "done";
    });
    const second = nodeExposure.fork("second").with({ http: { listen: { port: 0 }, auth: { token } } });
    await using first = await startExposure([slow], {}, [second]);
    const { port } = first.app.getResourceValue(second.resource).server?.address() as AddressInfo;
    const call = (to: number) =>
      fetch(`http://127.0.0.1:${to}/__runner/task/slow`, { method: "POST", headers, body: "{}" });
    const replies = [call(first.port), call(port)];
    await started.promise;

    const disposed = first.app.dispose();
    // What waits to be accepted at this moment is still let in.
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    const refused = await Promise.allSettled([call(first.port), call(port)]);
    release.resolve();
    await soon(disposed);

    expect(refused.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await Promise.all(replies.map(async (reply) => (await reply).status))).toEqual([200, 200]);
  });
});

describe("closing", () => {
  it("closing an exposure waits for no connection that says nothing", async () => {
    await using exposure = await startExposure([hello], { limits: { closeMs: 5000 } });
    const connected = once(exposure.handlers.server as Server, "connection");
    const connection = exposure.connect();
    await connected;

    await soon(exposure.handlers.close());

    expect(await connection.closed).toBe("");
  });

  it("closing an exposure waits for no connection that is in the middle of a head", async () => {
    await using exposure = await startExposure([hello], { limits: { closeMs: 5000 } });
    const connection = exposure.connect();
    connection.write(`${rawPost("/__runner/task/hello", "{}")}POST /__runner/task/hello HTTP/1.1\r\nhost: x\r\n`);
    await connection.until(/hi/);

    await soon(exposure.handlers.close());

    expect((await connection.closed).match(/HTTP\/1.1/g)).toHaveLength(1);
  });

  it("closing an exposure waits for no connection whose reply had begun before, once that is sent", async () => {
    const stream = new PassThrough();
    await using exposure = await startExposure([task("stream", () => stream)], { limits: { closeMs: 5000 } });
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/stream", "{}"));
    stream.write("begun;");
    await connection.until(/begun;/);

    const closing = exposure.handlers.close();
    stream.end("sent");
    await soon(closing);

    expect(await connection.closed).toContain("sent");
  });

  it("closing an exposure sends a large reply to its end", async () => {
    const large = "x".repeat(20_000_000);
    const [started, release] = [createDeferred(), createDeferred()];
    const slow = task("slow", async () => {
      started.resolve();
      await release.promise;
      return large;
    });
    await using exposure = await startExposure([slow]);
    const reply = exposure.post("/__runner/task/slow");
    await started.promise;

    const closing = exposure.handlers.close();
    release.resolve();
    const { result } = (await (await reply).json()) as { result: string };
    await soon(closing);

    expect(result.length).toBe(large.length);
  });
});
