import { createHash } from "node:crypto";
import { request, type IncomingMessage } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { expose, startRelay, startService } from "../../__tests__/support/bareRelay";
import { soon } from "../../__tests__/support/soon";
import { tcpTarget } from "./driver/tcpTarget";
import { TunnelSession } from "./driver/tunnelSession";

const sha = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A session whose first thing is to be connected. */
async function driver(relay: string, token = "anna") {
  const session = new TunnelSession({ relay, token });
  await soon(session.ready());
  return session;
}

function send(port: number, path: string, body?: Buffer, headers: Record<string, string> = {}) {
  return new Promise<{ message: IncomingMessage; body: Buffer }>((resolve, reject) => {
    const req = request(
      { host: "127.0.0.1", port, path, method: body ? "POST" : "GET", headers, agent: false },
      (message) => {
        const pieces: Buffer[] = [];
        message.on("data", (piece: Buffer) => pieces.push(piece));
        message.on("end", () => resolve({ message, body: Buffer.concat(pieces) }));
        message.on("error", reject);
      },
    );
    req.on("error", reject);
    req.end(body);
  });
}

describe("a service behind a driver", () => {
  it("a service behind a driver is reached through the relay with its body, headers, status and trailers, both ways", async () => {
    const seen: Record<string, unknown>[] = [];
    await using service = await startService((req, res) => {
      const pieces: Buffer[] = [];
      req.on("data", (piece: Buffer) => pieces.push(piece));
      req.on("end", () => {
        seen.push({ url: req.url, method: req.method, headers: req.headers });
        res.writeHead(201, { "x-app": "yes", trailer: "x-sum" });
        res.write(Buffer.concat(pieces));
        res.addTrailers({ "x-sum": "1" });
        res.end();
      });
    });
    await using relay = await startRelay();
    await using session = await driver(relay.url);
    const bound = await session.bind(expose(service.port));
    const sent = Buffer.alloc(3_000_000, "abc");

    const { message, body } = await soon(
      send(bound.containerPort, "/a?b=1", sent, { "x-mine": "1", "x-forwarded-for": "6.6.6.6" }),
    );

    expect([message.statusCode, message.headers["x-app"], message.trailers["x-sum"]]).toEqual([201, "yes", "1"]);
    expect(sha(body)).toBe(sha(sent));
    expect(seen).toMatchObject([
      {
        url: "/a?b=1",
        method: "POST",
        headers: { "x-mine": "1", "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http" },
      },
    ]);
  });

  it("a service behind a driver keeps visitors apart, many at a time over one connection", async () => {
    await using service = await startService((req, res) => void setImmediate(() => res.end(req.url)));
    await using relay = await startRelay();
    await using session = await driver(relay.url);
    const bound = await session.bind(expose(service.port));

    const replies = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => (await send(bound.containerPort, `/${index}`)).body.toString()),
    );

    expect(replies).toEqual(Array.from({ length: 200 }, (_, index) => `/${index}`));
  });

  it("a service behind a driver that is not there is told apart from a tunnel that is not there", async () => {
    await using relay = await startRelay();
    await using session = await driver(relay.url);
    const bound = await session.bind(expose(1));

    const { message } = await soon(send(bound.containerPort, "/"));
    const { message: none } = await soon(send(relay.relay.port, "/"));

    expect([message.statusCode, message.headers["x-hoody-tunnel-error"]]).toEqual([502, "LOCAL_CONNECT_FAILED"]);
    expect([none.statusCode, none.headers["x-hoody-tunnel-error"]]).toEqual([404, "TUNNEL_NOT_FOUND"]);
  });
});

it("a TCP service is reached through PULL, and half-closed connections stay so", async () => {
  const service = createTcpServer({ allowHalfOpen: true }, (socket) => {
    const pieces: Buffer[] = [];
    socket.on("data", (piece: Buffer) => pieces.push(piece));
    socket.on("end", () => socket.end(Buffer.concat(pieces).reverse()));
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  await using relay = await startRelay();
  await using session = await driver(relay.url);
  const target = tcpTarget({
    host: "127.0.0.1",
    port: (service.address() as AddressInfo).port,
    connectTimeoutMs: 2_000,
  });
  const bound = await session.bind({ kind: "tcp", mode: "pull", containerPort: 0, target });

  const answer = await soon(
    new Promise<string>((resolve) => {
      const socket = connect({ port: bound.containerPort, host: "127.0.0.1", allowHalfOpen: true });
      let text = "";
      socket.on("data", (piece: Buffer) => (text += piece.toString()));
      socket.on("end", () => resolve(text));
      socket.end("hello");
    }),
  );
  service.close();

  expect(answer).toBe("olleh");
});

it("a driver without credentials is refused, and does not try again", async () => {
  await using relay = await startRelay();
  const session = new TunnelSession({ relay: relay.url });

  await expect(soon(session.ready())).rejects.toMatchObject({ name: "TunnelRefusedError", status: 401 });
  await soon(session.ended());
  expect(session.state).toBe("closed");
});

it("operators see sessions and bindings, and end a session", async () => {
  await using service = await startService((_req, res) => void res.end("ok"));
  await using relay = await startRelay();
  await using session = await driver(relay.url);
  const bound = await session.bind(expose(service.port));
  const read = async (path: string, method = "GET"): Promise<unknown> =>
    (await fetch(`${relay.url}/api/v1/tunnel${path}`, { method, headers: { "x-runner-token": "op" } })).json();

  expect(await read("/bindings")).toEqual({
    bindings: [
      { port: bound.containerPort, kind: "http", mode: "expose", sessionId: session.sessionId, bindId: bound.bindId },
    ],
  });
  expect(await read("/tunnels")).toMatchObject({ orphanedSessions: 0, totalBindings: 1 });
  expect(await read(`/sessions/${session.sessionId}?grace_ms=6000`, "DELETE")).toMatchObject({
    error: { code: "BAD_REQUEST" },
  });
  expect(await read(`/sessions/${session.sessionId}`, "DELETE")).toEqual({
    sessionId: session.sessionId,
    status: "closing",
  });
  await soon(session.ended());
  expect(await read("/sessions")).toEqual({ sessions: [] });
});
