import type { Socket } from "node:net";
import { longestTimerMs } from "../../../lib/timers";
import { ResetCode } from "../../../relay/codes";
import type { MuxStream } from "../../../relay/muxStream";

/** Ends the attempt to connect to a local service after a while, and resets the visitor's stream. */
export function limitConnecting(
  socket: Pick<Socket, "once" | "connecting">,
  stream: MuxStream,
  timeoutMs: number,
  giveUp: () => void,
): void {
  if (!socket.connecting) return;
  const late = (): void => {
    stream.reset(ResetCode.TIMEOUT, "The local service does not accept the connection.");
    giveUp();
  };
  const timer = setTimeout(late, Math.min(timeoutMs, longestTimerMs));
  const done = (): void => clearTimeout(timer);
  socket.once("connect", done).once("close", done);
}
