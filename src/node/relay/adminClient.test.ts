import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { soon } from "../../__tests__/support/soon";
import { createTunnelAdminClient } from "./adminClient";

async function askOf(listener: RequestListener, timeoutMs = 20_000) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { client: createTunnelAdminClient({ baseUrl, timeoutMs }), baseUrl, close, [Symbol.asyncDispose]: close };
}

it("an operator's call fails by a status that a proxy answered", async () => {
  await using relay = await askOf((_req, res) => void res.writeHead(502).end("<h1>Bad Gateway</h1>"));

  await expect(soon(relay.client.listTunnels())).rejects.toMatchObject({
    code: "HTTP_ERROR",
    details: { statusCode: 502 },
  });
});

it.each([
  ["a page", "text/html", "<html>"],
  ["a text that says it is JSON", "application/json", "ok"],
  ["a value that is no object", "application/json", "1"],
])("an operator's call fails where %s comes instead of the answer of a relay", async (_what, type, body) => {
  await using relay = await askOf((_req, res) => void res.writeHead(200, { "content-type": type }).end(body));

  await expect(soon(relay.client.listSessions())).rejects.toMatchObject({
    name: "TunnelError",
    code: "INVALID_RESPONSE",
    details: { statusCode: 200 },
  });
  await expect(soon(relay.client.getMetrics())).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
});

it("an operator's call takes no endless answer", async () => {
  const piece = Buffer.alloc(1_048_576, " ");
  await using relay = await askOf((_req, res) => {
    const send = (): void => void (res.destroyed || res.write(piece, send));
    res.writeHead(200, { "content-type": "application/json" });
    send();
  });

  await expect(relay.client.listBindings()).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
});

it("an operator's call says when there is no relay, or no answer of it", async () => {
  await using silent = await askOf(() => {}, 50);
  const gone = await askOf(() => {});
  await gone.close();

  await expect(soon(silent.client.health.check())).rejects.toMatchObject({
    name: "TunnelError",
    code: "REQUEST_TIMEOUT",
    message: `The relay at ${silent.baseUrl} cannot be reached: it did not answer in time.`,
  });
  await expect(soon(gone.client.health.check())).rejects.toMatchObject({
    code: "UNREACHABLE",
    message: `The relay at ${gone.baseUrl} cannot be reached: ECONNREFUSED.`,
  });
});
