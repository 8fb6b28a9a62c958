import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, type AddressInfo, type Server, type Socket } from "node:net";
import { soon } from "../../../__tests__/support/soon";
import { resolveRelayConfig } from "../config";
import { Relay } from "../relay";
import { tcpTarget } from "./tcpTarget";
import { TunnelSession, type BindRequest } from "./tunnelSession";

async function startRelay(port = 0) {
  const config = resolveRelayConfig({ listen: { port }, portRange: [21_000, 29_999], drainMs: 0 });
  const relay = new Relay(config, { admit: async () => ({ principal: "anna" }) });
  await relay.start();
  const url = `http://127.0.0.1:${relay.port}`;
  return { relay, url, port: relay.port, [Symbol.asyncDispose]: () => relay.close() };
}

async function listen(server: Server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void server.close() };
}

const pull = (): BindRequest => ({
  kind: "tcp",
  mode: "pull",
  containerPort: 0,
  target: tcpTarget({ host: "127.0.0.1", port: 1, connectTimeoutMs: 1_000 }),
});

it("a session knows its round trip at once, and the visitors it served", async () => {
  await using relay = await startRelay();
  await using session = new TunnelSession({ relay: relay.url });
  const bound = await soon(session.bind(pull()));
  const served = once(session, "stream");
  // Node's first fetch waits for ever on a connection that is cut while it loads its parser.
  await soon(once(connect(bound.containerPort, "127.0.0.1"), "close"));
  await soon(served);

  expect(session.rttMs).toBeGreaterThan(0);
  expect(session.totalStreams).toBe(1);
});

it("a session says that it reconnects as soon as its connection is lost, and what it bound anew", async () => {
  const first = await startRelay();
  await using session = new TunnelSession({ relay: first.url });
  const bound = await soon(session.bind(pull()));
  const states: string[] = [];
  session.on("state", (state) => states.push(state));
  const retried = once(session, "retry");
  await first.relay.close();
  await soon(retried);
  const { state } = session;
  const anew = once(session, "bound");
  await using second = await startRelay(first.port);

  expect(await soon(anew)).toEqual([{ bindId: 1, containerPort: bound.containerPort, publicUrl: null }]);
  expect(state).toBe("reconnecting");
  expect(states).toEqual(["reconnecting", "connected"]);
  expect(second.relay.parts.bindings.all).toHaveLength(1);
});

it("a session says why it is not connected, and when it tries again", async () => {
  await using relay = await listen(createHttpServer((_req, res) => void res.end("no relay")));
  await using session = new TunnelSession({ relay: relay.url });

  const [facts] = (await soon(once(session, "retry"))) as [{ error: Error; delayMs: number }];

  expect(facts.error.message).toMatch(/^The answer was 200, and no WebSocket: this is no relay/);
  expect(facts.delayMs).toBeGreaterThan(0);
});

it("a server that answers with what it was sent brings no credentials into the reason of a session", async () => {
  const mirror = createHttpServer(({ headers }, res) => {
    res.statusCode = 500;
    res.end(`${headers["x-runner-token"]} ${headers["x-mine"]} seen`);
  });
  await using relay = await listen(mirror);
  await using session = new TunnelSession({ relay: relay.url, token: "t0p", headers: { "x-mine": "s3cret" } });

  const [facts] = (await soon(once(session, "retry"))) as [{ error: Error; delayMs: number }];

  expect(facts.error.message).toBe("The relay answered 500: *** *** seen");
});

it("a binding that is asked for while the connection is lost follows once there is one", async () => {
  const first = await startRelay();
  await using session = new TunnelSession({ relay: first.url });
  await soon(session.ready());
  const lost = once(session, "state");
  await first.relay.close();
  await soon(lost);
  const binding = session.bind(pull());
  await using second = await startRelay(first.port);

  await expect(soon(binding)).resolves.toMatchObject({ bindId: 1 });
  expect(second.relay.parts.bindings.all).toHaveLength(1);
});

it("a binding that is asked for of a session that ended is refused", async () => {
  await using relay = await startRelay();
  const session = new TunnelSession({ relay: relay.url });
  await soon(session.ready());
  await soon(session.close());

  await expect(soon(session.bind(pull()))).rejects.toThrow("The session has ended.");
});

it.each(["connected", "waiting for the greeting"])("a signal ends a session that is %s", async (situation) => {
  await using relay = await startRelay();
  const sockets: Socket[] = [];
  await using silent = await listen(
    createHttpServer().on("upgrade", (_req, socket: Socket) => void sockets.push(socket)),
  );
  const stop = new AbortController();
  const isConnected = situation === "connected";
  const session = new TunnelSession({ relay: isConnected ? relay.url : silent.url, signal: stop.signal });
  await soon<unknown>(isConnected ? session.ready() : once(silent.server, "upgrade"));
  stop.abort();
  await soon(session.ended());
  for (const socket of sockets) socket.destroy();

  expect(session.state).toBe("closed");
  expect(relay.relay.parts.sessions.all).toEqual([]);
});

it("a binding of any port that finds its former one taken is bound to another", async () => {
  const first = await startRelay();
  await using session = new TunnelSession({ relay: first.url });
  const bound = await soon(session.bind(pull()));
  const { containerPort } = bound;
  await first.relay.close();
  const squatter = createHttpServer().listen(containerPort, "127.0.0.1");
  await once(squatter, "listening");
  const anew = once(session, "bound");
  await using second = await startRelay(first.port);
  const [facts] = (await soon(anew)) as [{ containerPort: number }];
  squatter.close();

  expect(facts.containerPort).not.toBe(containerPort);
  expect(bound.containerPort).toBe(facts.containerPort);
  expect(second.relay.parts.bindings.all).toHaveLength(1);
});

it("a binding whose port is taken for a while is asked for until it is free", async () => {
  const first = await startRelay();
  await using session = new TunnelSession({ relay: first.url });
  const free = await soon(session.bind(pull()));
  const { containerPort } = free;
  await free.unbind();
  await soon(session.bind({ ...pull(), containerPort }));
  await first.relay.close();
  const squatter = createHttpServer().listen(containerPort, "127.0.0.1");
  await once(squatter, "listening");
  const resumed = once(session, "resumed");
  const anew = once(session, "bound");
  await using second = await startRelay(first.port);
  await soon(resumed);
  squatter.close();

  expect(await soon(anew)).toMatchObject([{ containerPort }]);
  expect(second.relay.parts.sessions.all).toHaveLength(1);
});

it("a binding that is taken back while the connection is lost is not there when the session is resumed", async () => {
  await using relay = await startRelay();
  await using session = new TunnelSession({ relay: relay.url });
  const bound = await soon(session.bind(pull()));
  await soon(session.bind({ ...pull(), kind: "http", mode: "expose" }));
  const exposed = relay.relay.parts.bindings.all.find(({ mode }) => mode === "expose");
  const kept = await soon(session.bind({ ...pull(), kind: "http", mode: "expose" }));
  const resumed = once(session, "resumed");
  relay.relay.parts.sessions.all[0]?.cutLinks();
  await soon(once(session, "state"));
  await bound.unbind();
  await kept.unbind();
  await soon(resumed);
  await soon(session.bind(pull()));

  expect(relay.relay.parts.bindings.all.map(({ bindId }) => bindId)).toEqual([exposed?.bindId, 4]);
});

it.each([0, 1.5, Number.NaN])("a session of %p connections is a mistake of its caller", (connections) => {
  expect(() => new TunnelSession({ relay: "http://127.0.0.1:1", connections })).toThrow("connections");
});
