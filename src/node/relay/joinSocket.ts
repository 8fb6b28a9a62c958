import type { Duplex } from "node:stream";
import { ResetCode } from "../../relay/codes";
import type { MuxStream } from "../../relay/muxStream";
import { receiveInto, sendFrom } from "./byteFlow";
import { connectEventOf } from "./connectEvent";

export interface JoinOptions {
  /** What had arrived on the socket before. */
  readonly head?: Buffer | undefined;
  /** What the peer learns when the socket is lost. Default LOCAL_RESET. */
  readonly lost?: ResetCode | undefined;
}

/** Joins a socket and a stream, each direction ending by itself. */
export function joinSocket(
  socket: Duplex,
  stream: MuxStream,
  { head, lost = ResetCode.LOCAL_RESET }: JoinOptions = {},
): void {
  if (head !== undefined && head.length > 0) socket.unshift(head);
  stream.handler = {
    onData: receiveInto(socket, stream),
    onEnd: () => void socket.end(),
    onDrain: sendFrom(socket, stream, () => undefined),
    onReset: ({ code }) => cutSocket(socket, code),
  };
  const connectEvent = connectEventOf(socket);
  let isConnecting = connectEvent !== undefined;
  if (connectEvent !== undefined) socket.once(connectEvent, () => (isConnecting = false));
  socket.on("error", (error: NodeJS.ErrnoException) =>
    stream.reset(isConnecting ? ResetCode.LOCAL_CONNECT_FAILED : resetCodeOf(error, lost), error.code ?? error.message),
  );
  // After both directions have ended the stream is closed already, and this does nothing.
  socket.once("close", () => {
    if (!socket.readableEnded) stream.reset(lost, "The connection was cut.");
  });
}

/** A peer's reset is passed on as one, where the socket can: Node leaks one that was ended and still has bytes to send. */
export function cutSocket(socket: Duplex, code: number): void {
  if (code === ResetCode.PEER_RESET && "resetAndDestroy" in socket && !socket.writableEnded)
    (socket as { resetAndDestroy(): void }).resetAndDestroy();
  else socket.destroy();
}

const resetCodeOf = ({ code }: NodeJS.ErrnoException, lost: ResetCode): ResetCode =>
  code === "ECONNRESET" ? ResetCode.PEER_RESET : lost;
