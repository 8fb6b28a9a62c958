import { EventEmitter, once } from "node:events";
import { createServer, request, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import express from "express";
import { r } from "../../../node/index";
import { startExposure, token } from "../../support/exposure";
import { soon } from "../../support/soon";

const headers = { "x-runner-token": token };

function createCounter() {
  let count = 0;
  const counter = r
    .task("count")
    .run(async () => (count += 1))
    .build();
  return { counter, runs: () => count };
}

/** Listens on a free port; disposing ends these exposures, too. */
async function listen(
  server: Server,
  ...exposures: AsyncDisposable[]
): Promise<{ readonly origin: string; readonly port: number } & AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      await Promise.all(exposures.map((exposure) => exposure[Symbol.asyncDispose]()));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const textOf = async (url: string): Promise<string> =>
  (await fetch(url, { method: "POST", headers, body: "{}" })).text();
const counted = (count: number): string => `{"ok":true,"result":${count}}`;

/** What custom servers of page frameworks do: one handler for everything, which replies some turns later. */
const catchAll =
  (text: string) =>
  async (_req: IncomingMessage, res: { end(text: string): unknown }): Promise<void> => {
    await nextTurn();
    res.end(text);
  };

describe("an exposure that is attached to a server with listeners of its own", () => {
  it("an exposure that is attached to a server with listeners of its own alone serves its base path beside an asynchronous catch-all, which serves everything else", async () => {
    const { counter, runs } = createCounter();
    const server = createServer((req, res) => void catchAll("page")(req, res));
    const exposure = await startExposure([counter], { server });
    await using peer = await listen(server, exposure);

    const replies = [await textOf(`${peer.origin}/__runner/task/count`), await textOf(`${peer.origin}/other`)];

    expect([...replies, runs()]).toEqual([counted(1), "page", 1]);
  });

  it("an exposure that is attached to a server with listeners of its own alone serves its base path beside a listener that is added later, or put in front", async () => {
    const { counter } = createCounter();
    const server = createServer();
    const exposure = await startExposure([counter], { server });
    server.on("request", (req, res) => void catchAll("later")(req, res));
    server.prependListener("request", (_req, res) => void (res.headersSent || res.setHeader("x-front", "1")));
    await using peer = await listen(server, exposure);

    const [own, other] = await Promise.all(
      ["/__runner/task/count", "/other"].map((path) =>
        fetch(peer.origin + path, { method: "POST", headers, body: "{}" }),
      ),
    );

    expect([await own?.text(), own?.headers.get("x-front")]).toEqual([counted(1), null]);
    expect([await other?.text(), other?.headers.get("x-front")]).toEqual(["later", "1"]);
  });

  it("an exposure that is attached to a server with listeners of its own serves its base path of a server of Express, whatever the application does with it", async () => {
    const { counter } = createCounter();
    const app = express();
    app.use(express.json());
    app.get("/hello", (_req, res) => void res.send("hello"));
    app.use((_req, res) => void res.status(404).send("nothing here"));
    const server = createServer(app);
    const exposure = await startExposure([counter], { server });
    await using peer = await listen(server, exposure);

    const own = await textOf(`${peer.origin}/__runner/task/count`);
    const [route, unknown] = await Promise.all([fetch(`${peer.origin}/hello`), fetch(`${peer.origin}/__runnerX`)]);

    expect(own).toBe(counted(1));
    expect([await route?.text(), unknown?.status, await unknown?.text()]).toEqual(["hello", 404, "nothing here"]);
  });

  it("an exposure that is attached to a server with listeners of its own gives its base path back when it detaches", async () => {
    const { counter, runs } = createCounter();
    const server = createServer((req, res) => void catchAll("page")(req, res));
    await using exposure = await startExposure([counter], { listen: undefined });
    const { emit } = server;
    const detach = exposure.handlers.attachTo(server);
    await using peer = await listen(server);
    const url = `${peer.origin}/__runner/task/count`;

    const attached = await textOf(url);
    detach();
    detach();
    const detached = await textOf(url);

    expect([attached, detached, runs()]).toEqual([counted(1), "page", 1]);
    expect([server.emit === emit, Object.hasOwn(server, "emit")]).toEqual([true, false]);
  });

  it("an exposure that is attached to a server with listeners of its own gives its base path back although something has wrapped the server's emit since", async () => {
    const { counter } = createCounter();
    const server = createServer((req, res) => void catchAll("page")(req, res));
    await using exposure = await startExposure([counter], { listen: undefined });
    const detach = exposure.handlers.attachTo(server);
    const seen: string[] = [];
    const wrapped = server.emit;
    server.emit = function (this: Server, event: string, ...args: unknown[]) {
      if (event === "request") seen.push((args[0] as IncomingMessage).url ?? "");
      return Reflect.apply(wrapped, this, [event, ...args]) as boolean;
    } as Server["emit"];
    await using peer = await listen(server);
    const url = `${peer.origin}/__runner/task/count`;

    const replies = [await textOf(url)];
    detach();
    replies.push(await textOf(url));
    exposure.handlers.attachTo(server);
    replies.push(await textOf(url));

    expect(replies).toEqual([counted(1), "page", counted(2)]);
    expect(seen).toHaveLength(3);
  });

  it("an exposure that is attached to a server with listeners of its own leaves its requests to what instruments the emit of all servers", async () => {
    const { counter } = createCounter();
    const server = createServer();
    const seen: string[] = [];
    // As tracing libraries do it, to the class; here to one server, before the exposure gets it.
    server.emit = function (this: EventEmitter, event: string, ...args: unknown[]) {
      if (event === "request") seen.push((args[0] as IncomingMessage).url ?? "");
      return EventEmitter.prototype.emit.apply(this, [event, ...args]);
    } as Server["emit"];
    const exposure = await startExposure([counter], { server });
    await using peer = await listen(server, exposure);

    await textOf(`${peer.origin}/__runner/task/count`);

    expect(seen).toEqual(["/__runner/task/count"]);
  });

  it("an exposure that is attached to a server with listeners of its own leaves upgrades alone, below its base path and elsewhere", async () => {
    const { counter } = createCounter();
    const server = createServer();
    server.on("upgrade", (req, socket) => socket.end(`HTTP/1.1 418 ${req.url}\r\n\r\n`));
    const exposure = await startExposure([counter], { server });
    await using peer = await listen(server, exposure);

    const replies = await Promise.all(
      ["/socket", "/__runner/socket"].map(async (path) => {
        const socket = connect(peer.port, "127.0.0.1");
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
        const [head] = await soon<Buffer[]>(once(socket, "data"));
        socket.destroy();
        return String(head).split("\r\n")[0];
      }),
    );

    expect(replies).toEqual(["HTTP/1.1 418 /socket", "HTTP/1.1 418 /__runner/socket"]);
  });

  it("an exposure that is attached to a server with listeners of its own serves a request that expects 100 Continue, although the server has a listener for these", async () => {
    const { counter } = createCounter();
    const server = createServer();
    server.on("checkContinue", (_req, res) => void res.writeHead(403).end("mine"));
    const exposure = await startExposure([counter], { server });
    await using peer = await listen(server, exposure);
    const expecting = (path: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const sent = request({
          port: peer.port,
          path,
          method: "POST",
          headers: { ...headers, expect: "100-continue" },
        });
        sent.on("continue", () => sent.end("{}"));
        sent.on("error", reject);
        sent.on("response", (reply) => {
          let text = "";
          reply.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          reply.on("end", () => (sent.destroy(), resolve(text)));
        });
        sent.flushHeaders();
      });

    expect(await soon(expecting("/__runner/task/count"))).toBe(counted(1));
    expect(await soon(expecting("/other"))).toBe("mine");
  });

  it("an exposure that is attached to a server with listeners of its own refuses an expectation that is none of HTTP's, as a server without a listener for these does", async () => {
    const { counter, runs } = createCounter();
    const server = createServer();
    server.on("checkExpectation", (_req, res) => void res.writeHead(403).end());
    const exposure = await startExposure([counter], { server });
    await using peer = await listen(server, exposure);
    const statusOf = (path: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const sent = request({ port: peer.port, path, method: "POST", headers: { ...headers, expect: "tea" } });
        sent.on("error", reject).on("response", (reply) => {
          reply.resume();
          resolve(reply.statusCode);
        });
        sent.end("{}");
      });

    expect([await statusOf("/__runner/task/count"), await statusOf("/other"), runs()]).toEqual([417, 403, 0]);
  });
});

describe("several exposures that are attached to one server", () => {
  it("several exposures that are attached to one server each serve their base path, the longest one first", async () => {
    const [outer, inner] = [createCounter(), createCounter()];
    const server = createServer();
    const exposures = [
      await startExposure([inner.counter], { server, basePath: "/api/inner" }),
      await startExposure([outer.counter], { server, basePath: "/api" }),
    ];
    await using peer = await listen(server, ...exposures);

    const replies = [
      await textOf(`${peer.origin}/api/inner/task/count`),
      await textOf(`${peer.origin}/api/task/count`),
      await textOf(`${peer.origin}/api/task/count`),
    ];

    expect(replies).toEqual([counted(1), counted(1), counted(2)]);
    expect([inner.runs(), outer.runs()]).toEqual([1, 2]);
  });

  it("several exposures that are attached to one server follow each other on one base path, as those of a process that reloads its application do", async () => {
    const [first, second] = [createCounter(), createCounter()];
    const server = createServer();
    await using peer = await listen(server);
    const url = `${peer.origin}/__runner/task/count`;
    const before = await startExposure([first.counter], { server });
    await textOf(url);

    await before.app.dispose();
    const closed = await fetch(url, { method: "POST", headers, body: "{}" });
    await using after = await startExposure([second.counter], { server });
    const replaced = await textOf(url);

    expect(after.handlers.phase).toBe("serving");
    expect([closed.status, replaced, first.runs()]).toEqual([503, counted(1), 1]);
  });

  it("several exposures that are attached to one server of one base path leave it to the later one, also while the earlier one still serves", async () => {
    const [first, second] = [createCounter(), createCounter()];
    const server = createServer();
    const before = await startExposure([first.counter], { server });
    const after = await startExposure([second.counter], { server });
    await using peer = await listen(server, after);
    const url = `${peer.origin}/__runner/task/count`;

    const both = await textOf(url);
    await before.app.dispose();
    const one = await textOf(url);

    expect([both, one, first.runs()]).toEqual([counted(1), counted(2), 0]);
  });
});
