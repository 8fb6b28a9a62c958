import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import {
  createHttpMixedClient,
  createTunnelAdminClient,
  nodeExposure,
  r,
  run,
  tunnelRelay,
  tunnelServe,
} from "../../../node";
import { appOf } from "../../support/appOf";
import { quiet } from "../../support/tunnelPair";
import { relayToken, visit } from "../../support/relay/relay";

const add = r
  .task("calc.tasks.add")
  .run(async (input: { a: number; b: number }) => input.a + input.b)
  .build();
const opened = r.tunnel.server("calc.tunnels.opened").tasks([add]).build();

/** An exposure and a relay on one server, whose own listeners answer whatever they see, as those of frameworks do. */
async function startBoth(server: Server) {
  server.on("request", (_req, res) => void res.end("the application's own page"));
  server.on("upgrade", (_req, socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const app = await run(
    appOf(
      add,
      opened,
      nodeExposure.with({ http: { server, auth: { token: "app-secret" }, drain: { quietMs: 0 } } }),
      tunnelRelay.with({
        server,
        auth: { token: relayToken },
        portRange: [22_000, 31_999],
        publicUrlPattern: "http://{name}.tunnels.localhost/",
      }),
    ),
    quiet,
  );
  return { app, port: (server.address() as AddressInfo).port };
}

it("a relay and an exposure share a server, and each has its own paths, callers and visitors", async () => {
  const server = createServer();
  const { app, port } = await startBoth(server);
  const url = `http://127.0.0.1:${port}`;
  await using client = createHttpMixedClient({ baseUrl: `${url}/__runner`, auth: { token: "app-secret" } });
  const behindTunnel = createServer((_req, res) => void res.end("from behind the tunnel"));
  new WebSocketServer({ server: behindTunnel }).on("connection", (each) => each.send("live from behind the tunnel"));
  const published = await tunnelServe({
    relay: url,
    token: relayToken,
    name: "shop",
    server: behindTunnel,
  });
  const admin = createTunnelAdminClient({ baseUrl: url, auth: { token: relayToken } });

  expect(await client.task(add, { a: 19, b: 23 })).toBe(42);
  expect(String((await visit(port, { path: "/own" })).body)).toBe("the application's own page");
  expect(String((await visit(port, { headers: { host: "shop.tunnels.localhost" } })).body)).toBe(
    "from behind the tunnel",
  );
  expect((await admin.listSessions()).data.sessions).toHaveLength(1);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/live`, { headers: { host: "shop.tunnels.localhost" } });
  const [greeting] = (await once(socket, "message")) as [Buffer];
  expect(String(greeting)).toBe("live from behind the tunnel");
  socket.close();
  // Paths of the exposure are those of the service where a visitor asks the tunnel's host for them.
  const behind = await visit(port, { path: "/__runner/discovery", headers: { host: "shop.tunnels.localhost" } });
  expect(String(behind.body)).toBe("from behind the tunnel");

  await published.close();
  await app.dispose();
  expect(server.listening).toBe(true);
  expect(String((await visit(port, { path: "/own" })).body)).toBe("the application's own page");
  server.closeAllConnections();
  await once(server.close(), "close");
});
