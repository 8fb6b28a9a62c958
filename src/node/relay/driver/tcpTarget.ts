import { ResetCode } from "../../../relay/codes";
import { joinSocket } from "../joinSocket";
import { connectLocally } from "./localSocket";
import { limitConnecting } from "./limitConnecting";
import type { StreamTarget } from "./streamTarget";

/** A local TCP service. */
export interface TcpTargetOptions {
  readonly host: string;
  readonly port: number;
  /** How long to wait for a connection, in ms. */
  readonly connectTimeoutMs: number;
}

/** Joins each stream to a connection of its own; half-closed connections stay so. */
export const tcpTarget = ({ host, port, connectTimeoutMs }: TcpTargetOptions): StreamTarget => ({
  open(stream, opening) {
    if (opening.kind !== "tcp") return stream.reset(ResetCode.INTERNAL, "This binding serves TCP.");
    const socket = connectLocally({ host, port, allowHalfOpen: true });
    stream.accept();
    joinSocket(socket, stream);
    limitConnecting(socket, stream, connectTimeoutMs, () => socket.destroy());
  },
  close() {},
});
