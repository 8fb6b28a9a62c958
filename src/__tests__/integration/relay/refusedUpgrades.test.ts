import { connect, type Socket } from "node:net";
import { globals, TunnelSession } from "../../../node";
import { publish } from "../../support/publishedService";
import { soon } from "../../support/soon";

/** Asks for an upgrade, and keeps its side of the connection open whatever the answer is. */
async function upgradeAndStay(port: number, path: string): Promise<{ status: string; socket: Socket }> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.on("error", () => {});
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  await soon(new Promise((resolve) => socket.once("end", resolve)));
  return { status: text.split("\r\n", 1)[0] as string, socket };
}

it("an upgrade that a relay refuses leaves no connection behind, even where its sender keeps it open", async () => {
  await using site = await publish((_req, res) => void res.end(), {
    config: {
      gates: [[globals.tunnelGates.token.with({ tokens: "t" })]],
      limits: { maxPreAuthConnections: 1 },
    },
  });
  const { server, port } = site.relay;

  const refused = [
    // No subprotocol that drivers speak; no such path; refused by a gate.
    await upgradeAndStay(port, "/api/v1/tunnel/connect"),
    await upgradeAndStay(port, "/elsewhere"),
    await upgradeAndStay(site.port, "/"),
  ];
  expect(refused.map(({ status }) => status.slice(0, 12))).toEqual(["HTTP/1.1 400", "HTTP/1.1 404", "HTTP/1.1 401"]);

  // The only place for connections that have not greeted is free again.
  await using session = new TunnelSession({ relay: site.relay.url, token: "relay-secret" });
  await soon(session.ready());
  const open = await new Promise((resolve) => server?.getConnections((_error, count) => resolve(count)));
  // Those of the two drivers.
  expect(open).toBe(2);
  for (const { socket } of refused) socket.destroy();
});
