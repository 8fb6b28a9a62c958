import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import {
  createHttpMixedClient,
  createNodeFile,
  createTunnelAdminClient,
  r,
  tunnelExpose,
  tunnelServe,
  TunnelSession,
  type InputFile,
} from "../../../node";
import { rejectionOf } from "../../support/failures";
import { relayToken, startRelay } from "../../support/relay/relay";
import { soon } from "../../support/soon";
import { serve } from "../../support/tunnelPair";

const outOfStock = r
  .error<{ sku: string }>("shop.errors.outOfStock")
  .format(({ sku }) => `No ${sku} left.`)
  .build();

const order = r
  .task("shop.tasks.order")
  .dependencies({ outOfStock })
  .run(async ({ sku, at }: { sku: string; at: Date }, deps) => {
    if (sku === "none") throw deps.outOfStock.create({ sku });
    return { sku, year: at.getUTCFullYear(), parts: new Map([["a", 1n]]) };
  })
  .build();

const digest = r
  .task("shop.tasks.digest")
  .run(async ({ file }: { file: InputFile<Readable> }) => {
    const hash = createHash("sha256");
    for await (const chunk of file.stream() as AsyncIterable<Buffer>) hash.update(chunk);
    return hash.digest("hex");
  })
  .build();

describe("a Runner application behind a driver", () => {
  async function behindARelay() {
    const relay = await startRelay();
    const server = await serve([order, digest, outOfStock], { mode: "server", tasks: [order, digest] });
    const handle = await tunnelServe({
      relay: relay.relay.url,
      token: relayToken,
      server: server.handlers.createServer(),
    });
    const client = createHttpMixedClient({
      baseUrl: `http://127.0.0.1:${handle.containerPort}/__runner`,
      auth: { token: "s3cret" },
      errorRegistry: new Map([[outOfStock.id, outOfStock]]),
    });
    return {
      relay,
      handle,
      client,
      async [Symbol.asyncDispose]() {
        await client.close();
        await handle.close();
        await server[Symbol.asyncDispose]();
        await relay[Symbol.asyncDispose]();
      },
    };
  }

  it("a Runner application behind a driver is called through the relay with dates, maps and typed errors", async () => {
    await using story = await behindARelay();

    const at = new Date("2026-05-01T00:00:00Z");
    expect(await story.client.task("shop.tasks.order", { sku: "tea", at })).toEqual({
      sku: "tea",
      year: 2026,
      parts: new Map([["a", 1n]]),
    });
    const error = await rejectionOf(story.client.task("shop.tasks.order", { sku: "none", at }));
    expect(outOfStock.is(error) && error.data).toEqual({ sku: "none" });
  });

  it("a Runner application behind a driver receives files of any size, byte for byte", async () => {
    await using story = await behindARelay();
    const bytes = Buffer.alloc(5_000_000, "relay");
    const file = createNodeFile(
      { name: "a.bin" },
      { stream: Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]) },
    );

    expect(await story.client.task("shop.tasks.digest", { file })).toBe(
      createHash("sha256").update(bytes).digest("hex"),
    );
  });
});

describe("a relay", () => {
  it("a relay lists and ends sessions for operators, and refuses those without credentials", async () => {
    await using relay = await startRelay();
    await using session = new TunnelSession({ relay: relay.relay.url, token: relayToken });
    await soon(session.ready());

    const { data } = await relay.admin.listSessions();
    const stranger = createTunnelAdminClient({ baseUrl: relay.relay.url });

    expect(data.sessions).toMatchObject([{ sessionId: session.sessionId, isV2: true, bindings: [] }]);
    expect((await stranger.health.check()).data).toEqual({ status: "ok" });
    expect(await rejectionOf(stranger.listSessions())).toMatchObject({ details: { statusCode: 401 } });
    expect(await rejectionOf(relay.admin.killSession("ts_unknown"))).toMatchObject({ code: "NOT_FOUND" });
    expect((await relay.admin.killSession(session.sessionId as string, { grace_ms: 0 })).data.status).toBe("closing");
    await soon(session.ended());
  });

  it("a relay keeps a binding for a driver whose connection is lost, and answers 503 meanwhile", async () => {
    const service = createServer((_req, res) => void res.end("here"));
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    await using relay = await startRelay();
    const { port } = service.address() as { port: number };
    const handle = await tunnelExpose({ relay: relay.relay.url, token: relayToken, port });
    const url = `http://127.0.0.1:${handle.containerPort}/`;
    const before = handle.session.sessionId;
    expect(await (await fetch(url)).text()).toBe("here");

    const resumed = new Promise<unknown>((resolve) => handle.session.once("resumed", resolve));
    for (const { sessionId } of relay.relay.sessions()) relay.relay.drop(sessionId);
    const parked = await fetch(url);
    const facts = await soon(resumed);

    expect([parked.status, parked.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(facts).toEqual({ resumed: true, sessionId: before });
    expect(await (await fetch(url)).text()).toBe("here");
    await handle.close();
    service.close();
  });

  it("a relay hands a port over to another driver of the same caller that asks for it", async () => {
    const services = ["first", "second"].map((name) => createServer((_req, res) => void res.end(name)));
    const ports = await Promise.all(
      services.map(async (service) => {
        await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
        return (service.address() as { port: number }).port;
      }),
    );
    await using relay = await startRelay();
    const options = { relay: relay.relay.url, token: relayToken };
    await using first = await tunnelExpose({ ...options, port: ports[0] });
    const { containerPort } = first;
    const revoked = new Promise<unknown>((resolve) => first.session.once("bindRevoked", resolve));

    const refused = await rejectionOf(tunnelExpose({ ...options, port: ports[1], containerPort }));
    await using second = await tunnelExpose({ ...options, port: ports[1], containerPort, takeover: true });

    expect(refused).toMatchObject({ name: "TunnelBindError", code: "ALREADY_BOUND" });
    expect(await soon(revoked)).toEqual({ bindId: second.bindId, code: "TAKEOVER" });
    expect(await (await fetch(`http://127.0.0.1:${containerPort}/`)).text()).toBe("second");
    for (const service of services) service.close();
  });

  it("a relay carries WebSockets in both directions", async () => {
    const service = createServer();
    const echo = new WebSocketServer({ server: service });
    echo.on("connection", (socket) =>
      socket.on("message", (data: Buffer, isBinary) => socket.send(data, { binary: isBinary })),
    );
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    await using relay = await startRelay();
    const { port } = service.address() as { port: number };
    await using handle = await tunnelExpose({ relay: relay.relay.url, token: relayToken, port });

    const echoed = await soon(
      new Promise<string[]>((resolve, reject) => {
        const received: string[] = [];
        const socket = new WebSocket(`ws://127.0.0.1:${handle.containerPort}/chat`);
        socket.on("error", reject);
        socket.on("open", () => ["one", "two", "x".repeat(200_000)].forEach((text) => socket.send(text)));
        socket.on("message", (data: Buffer) => {
          received.push(data.toString());
          if (received.length === 3) resolve((socket.close(), received));
        });
      }),
    );

    expect(echoed.map((text) => text.length)).toEqual([3, 3, 200_000]);
    echo.close();
    service.closeAllConnections();
    service.close();
  });

  it("a relay answers 502 to an upgrade that its application cuts before a response", async () => {
    const service = createServer().on("upgrade", (_req, socket) => socket.destroy());
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    await using relay = await startRelay();
    const { port } = service.address() as { port: number };
    await using handle = await tunnelExpose({ relay: relay.relay.url, token: relayToken, port });

    const status = await soon(
      new Promise<number | undefined>((resolve, reject) => {
        const socket = new WebSocket(`ws://127.0.0.1:${handle.containerPort}/chat`);
        socket.on("error", reject);
        socket.on("unexpected-response", (request, response) => {
          resolve(response.statusCode);
          request.destroy();
        });
      }),
    );

    expect(status).toBe(502);
    service.close();
  });

  it("a relay routes by host and by path, and keeps its own paths out of tunnels", async () => {
    const seen: unknown[] = [];
    const service = createServer((req, res) => {
      seen.push([req.url, req.headers["x-forwarded-prefix"]]);
      res.end("app");
    });
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    await using relay = await startRelay({
      publicUrlPattern: ["http://{name}.tun.localhost", "http://localhost/t/{name}/"],
      aliases: { "shop.localhost": { name: "web" } },
    });
    const { port } = service.address() as { port: number };
    await using handle = await tunnelExpose({ relay: relay.relay.url, token: relayToken, port, name: "web" });
    const ask = async (host: string, path: string) =>
      soon(
        new Promise<string>((resolve) => {
          const socket = connect(relay.relay.port, "127.0.0.1");
          let text = "";
          socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
          socket.on("close", () => resolve(text.split("\r\n", 1)[0] as string));
          socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        }),
      );

    expect(handle.publicUrl).toBe("http://web.tun.localhost");
    expect(await ask("web.tun.localhost", "/a")).toBe("HTTP/1.1 200 OK");
    expect(await ask("shop.localhost:80", "/b")).toBe("HTTP/1.1 200 OK");
    expect(await ask("localhost", "/t/web/c?d")).toBe("HTTP/1.1 200 OK");
    expect(await ask("web.tun.localhost", "/api/v1/tunnel/sessions")).toBe("HTTP/1.1 200 OK");
    expect(await ask("none.tun.localhost", "/")).toBe("HTTP/1.1 404 Not Found");
    expect(await ask("localhost", "/t%2fweb/")).toBe("HTTP/1.1 400 Bad Request");
    expect(await ask("a b", "/")).toBe("HTTP/1.1 400 Bad Request");
    expect(seen).toEqual([
      ["/a", undefined],
      ["/b", undefined],
      ["/c?d", "/t/web"],
      ["/api/v1/tunnel/sessions", undefined],
    ]);
    service.closeAllConnections();
    service.close();
  });
});
