import { once } from "node:events";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { tunnelExpose, type TunnelExposeOptions } from "../../../node";
import { localhostCertificate } from "../../support/certificate";
import { startRelay, startService, tellError, visit } from "../../support/relay/relay";
import { soon } from "../../support/soon";

type Tls = TunnelExposeOptions["tls"];

/** A service over TLS with a certificate of its own making, which tells what it was asked. */
async function startTlsService(host: string) {
  const handled: string[] = [];
  const server = createHttpsServer(localhostCertificate, (req, res) => {
    handled.push(req.url ?? "");
    res.end("served over TLS");
  });
  await once(server.listen(0, host), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    handled,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}

/** What visitors of a service are answered: to a request without and with a body, and to one that asks to upgrade. */
async function visitThrough(port: number, host: string, tls?: Tls, connectTimeoutMs?: number) {
  await using relay = await startRelay();
  const url = `https://${host}:${port}`;
  await using handle = await tunnelExpose({ ...relay.driver, url, tls, connectTimeoutMs });
  return await Promise.all([
    visit(handle.containerPort, { path: "/get" }),
    visit(handle.containerPort, { path: "/post", method: "POST", body: Buffer.from("body") }),
    visit(handle.containerPort, { path: "/upgrade", headers: { connection: "Upgrade", upgrade: "raw" } }),
  ]);
}

describe("a service over TLS", () => {
  it.each<[string, Tls]>([
    ["its certificate is named as trusted", { ca: localhostCertificate.cert }],
    ["no certificate is asked for", { rejectUnauthorized: false }],
  ])("a service over TLS is served when %s", async (_title, tls) => {
    await using service = await startTlsService("127.0.0.1");

    const [get, post] = await soon(visitThrough(service.port, "localhost", tls));

    expect([get?.status, String(get?.body)]).toEqual([200, "served over TLS"]);
    expect([post?.status, String(post?.body)]).toEqual([200, "served over TLS"]);
  });

  it.each<[string, string, Tls]>([
    ["a certificate that is not trusted", "localhost", undefined],
    ["a certificate of another name", "127.0.0.2", { ca: localhostCertificate.cert }],
  ])("a service over TLS with %s is not reachable, and is asked nothing", async (_title, host, tls) => {
    await using service = await startTlsService(host === "localhost" ? "127.0.0.1" : host);

    const replies = await soon(visitThrough(service.port, host, tls));

    expect(replies.map(tellError)).toEqual(replies.map(() => [502, "LOCAL_CONNECT_FAILED", undefined]));
    expect(service.handled).toEqual([]);
  });

  it.each<[string, (write: (bytes: string) => void, cut: () => void) => void]>([
    ["speaks plain HTTP", (write) => write("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["cuts each handshake", (_write, cut) => cut()],
  ])("a service that %s where TLS is expected is not reachable", async (_title, answer) => {
    await using service = await startService(
      createTcpServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () =>
          answer(
            (bytes) => socket.end(bytes),
            () => socket.resetAndDestroy(),
          ),
        );
      }),
    );

    const replies = await soon(visitThrough(service.port, "127.0.0.1"));

    expect(replies.map(tellError)).toEqual(replies.map(() => [502, "LOCAL_CONNECT_FAILED", undefined]));
  });

  it("a service that accepts connections and never answers a handshake is given up in the time for connecting", async () => {
    await using service = await startService(createTcpServer((socket) => socket.on("error", () => {}).resume()));

    const replies = await soon(visitThrough(service.port, "127.0.0.1", undefined, 100));

    expect(replies.map(tellError)).toEqual(replies.map(() => [502, "LOCAL_CONNECT_TIMEOUT", undefined]));
  });
});
