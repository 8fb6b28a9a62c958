import type { IncomingMessage } from "node:http";

/** A visitor that sends nothing for so long has nothing more to say, in ms. */
const silenceMs = 5_000;

/**
 * Has the connection of a request close only once the whole request is there, or its sender has fallen silent.
 *
 * Closing on a visitor who still sends would reset the connection before it could read the response (RFC 9112 section 9.6).
 */
export function lingerClose(req: IncomingMessage): void {
  const { socket } = req;
  // Called by Node at the end of a response behind which the connection closes.
  socket.destroySoon = () => {
    socket.end();
    if (req.complete) return void socket.destroy();
    socket.setTimeout(silenceMs);
    req.once("end", () => socket.destroy());
  };
}
