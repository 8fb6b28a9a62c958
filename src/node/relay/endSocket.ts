import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Sends the last bytes on a connection whose parser has detached, and closes it.
 *
 * Ending alone would leave it open for as long as the peer keeps its own side open.
 */
export function endSocket(socket: Duplex, bytes: string | Uint8Array = ""): void {
  socket.end(bytes);
  // As the server of node:http closes connections after a last response.
  if ("destroySoon" in socket) (socket as Socket).destroySoon();
  else socket.once("finish", () => socket.destroy());
}
