import type { Duplex } from "node:stream";
import { longestTimerMs } from "../../../lib/timers";
import { ResetCode } from "../../../relay/codes";
import type { MuxStream } from "../../../relay/muxStream";
import { connectEventOf } from "../connectEvent";

/** Ends the attempt to connect to a local service after a while, a handshake of TLS included, and resets the stream. */
export function limitConnecting(socket: Duplex, stream: MuxStream, timeoutMs: number, giveUp: () => void): void {
  const connectEvent = connectEventOf(socket);
  if (connectEvent === undefined) return;
  const late = (): void => {
    stream.reset(ResetCode.TIMEOUT, "The local service does not accept the connection.");
    giveUp();
  };
  const timer = setTimeout(late, Math.min(timeoutMs, longestTimerMs));
  const done = (): void => clearTimeout(timer);
  socket.once(connectEvent, done).once("close", done);
}
