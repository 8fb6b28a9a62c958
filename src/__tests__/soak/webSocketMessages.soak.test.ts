import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { tunnelExpose } from "../../node";
import { startRelay, startService } from "../support/relay/relay";

const count = 1_000_000;
const textOf = (index: number): string => `message ${index}`;

/** Sends all messages at the pace the connection takes them. */
async function sendAll(socket: WebSocket): Promise<void> {
  for (let index = 0; index < count; index++) {
    socket.send(textOf(index));
    if (index % 1_000 === 0) while (socket.bufferedAmount > 1_000_000) await new Promise(setImmediate);
  }
}

/** @returns how many messages came that were the next one, once there were all or the connection was closed */
function countInOrder(socket: WebSocket): Promise<number> {
  let inOrder = 0;
  return new Promise((resolve) => {
    socket.on("message", (data: Buffer) => {
      if (data.toString("latin1") === textOf(inOrder)) inOrder += 1;
      if (inOrder === count) resolve(inOrder);
    });
    socket.once("close", () => resolve(inOrder));
  });
}

it("a WebSocket through a relay carries a million messages each way at once, in order and none twice", async () => {
  await using relay = await startRelay();
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  const served = new Promise<number>((resolve) =>
    sockets.once("connection", (socket: WebSocket) => {
      void countInOrder(socket).then(resolve);
      void sendAll(socket);
    }),
  );
  await using service = await startService(server);
  await using handle = await tunnelExpose({ ...relay.driver, port: service.port });
  const socket = new WebSocket(`ws://127.0.0.1:${handle.containerPort}/`, { perMessageDeflate: false });
  const received = countInOrder(socket);
  await once(socket, "open");
  void sendAll(socket);
  const counts = await Promise.all([received, served]);
  socket.close();
  await once(socket, "close");

  expect(counts).toEqual([count, count]);
  while (handle.session.activeStreams > 0) await new Promise(setImmediate);
}, 200_000);
