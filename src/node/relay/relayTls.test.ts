import { once } from "node:events";
import { get, type RequestOptions } from "node:https";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { WebSocket } from "ws";
import { localhostCertificate } from "../../__tests__/support/certificate";
import { soon } from "../../__tests__/support/soon";
import { resolveRelayConfig } from "./config";
import { Relay } from "./relay";

const ca = localhostCertificate.cert;

async function startRelay() {
  const config = { listen: { port: 0 }, tls: localhostCertificate, publicUrlPattern: "https://localhost/t/{name}/" };
  const relay = new Relay(resolveRelayConfig(config), { admit: async () => ({ principal: "anna" }) });
  await relay.start();
  return { relay, port: relay.port, [Symbol.asyncDispose]: () => relay.close() };
}

async function read(options: RequestOptions): Promise<{ status: number | undefined; body: string }> {
  const [message] = (await once(get({ host: "localhost", ca, agent: false, ...options }), "response")) as [
    IncomingMessage,
  ];
  return { status: message.statusCode, body: await text(message) };
}

it("a relay with a certificate serves drivers, operators and visitors over TLS", async () => {
  await using relay = await startRelay();
  const { port } = relay;

  const ws = new WebSocket(`wss://localhost:${port}/api/v1/tunnel/connect`, ["hoody-tunnel.v1"], { ca });
  await soon(once(ws, "open"));
  ws.terminate();

  expect(ws.protocol).toBe("hoody-tunnel.v1");
  expect((await soon(read({ port, path: "/api/v1/tunnel/sessions" }))).body).toBe('{"sessions":[]}');
  expect(await soon(read({ port, path: "/t/web/" }))).toMatchObject({ status: 404 });
});

it("a relay with a certificate takes nothing older than TLS 1.2, and no plain HTTP", async () => {
  await using relay = await startRelay();
  const { port } = relay;

  const old = connect({ port, host: "127.0.0.1", ca, minVersion: "TLSv1.1", maxVersion: "TLSv1.1" });
  await expect(soon(once(old, "secureConnect"))).rejects.toThrow();
  await expect(soon(fetch(`http://127.0.0.1:${port}/api/v1/tunnel/health`))).rejects.toThrow();
});

it.each([
  ["a certificate without its key", { cert: ca, key: "" }, "tls needs both cert and key, as PEM."],
  ["what is no PEM", { cert: "cert.pem", key: "key.pem" }, "tls.cert and tls.key must be a certificate and its key"],
])("a relay refuses %s by name when it is configured", (_what, tls, message) => {
  expect(() => resolveRelayConfig({ listen: { port: 0 }, tls })).toThrow(message);
});

it("a relay refuses a certificate for a server that is not its own", () => {
  expect(() => resolveRelayConfig({ server: createServer(), tls: localhostCertificate })).toThrow(
    "tls is of the relay's own server: it needs listen: { port }.",
  );
});
