import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { startTcpService } from "../../__tests__/support/relay/relay";
import { soon } from "../../__tests__/support/soon";
import { ResetCode } from "../../relay/codes";
import { cutSocket } from "./joinSocket";

/** A connection whose peer reads nothing, as both ends of it. */
async function connectToStalled() {
  const service = await startTcpService((socket) => socket.on("error", () => {}));
  const accepted = once(service.server, "connection") as Promise<[Socket]>;
  const socket = connect(service.port, "127.0.0.1");
  await once(socket, "connect");
  const [peer] = await accepted;
  return { socket, peer, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

it("a socket that is cut for a peer's reset is reset", async () => {
  await using pair = await connectToStalled();
  const failed = once(pair.peer.resume(), "error");
  cutSocket(pair.socket, ResetCode.PEER_RESET);

  expect(await soon(failed)).toMatchObject([{ code: "ECONNRESET" }]);
});

it("a socket that was ended and cannot send its last bytes is gone once it is cut", async () => {
  await using pair = await connectToStalled();
  pair.socket.write(Buffer.alloc(20_000_000));
  pair.socket.end();
  cutSocket(pair.socket, ResetCode.PEER_RESET);
  const ended = once(pair.peer.resume(), "end");

  await soon(ended);
  expect(pair.socket.destroyed).toBe(true);
});
