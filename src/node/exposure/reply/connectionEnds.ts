import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Drain } from "../../../lib/drain";
import { createQueuedReplies } from "./queuedReplies";

/** Which connections of a server that closes take no further request. */
export interface ConnectionEnds {
  /** Whether a reply is the last one of its connection, which is announced then. */
  endsConnection(req: IncomingMessage, res: ServerResponse): boolean;
  /** Whether a request can be replied to; its reply is then counted among those of its connection. */
  canReply(req: IncomingMessage, res: ServerResponse): boolean;
}

export function createConnectionEnds(drain: Pick<Drain, "endsConnections">): ConnectionEnds {
  const queuedReplies = createQueuedReplies();
  /** Connections whose end was announced: what is still sent over them cannot be replied to. */
  const ending = new WeakSet<Socket>();
  return {
    endsConnection(req, res) {
      const { socket } = req as { readonly socket?: Socket | null };
      if (!drain.endsConnections) return false;
      // Functions of a serverless platform have no socket.
      if (!socket) return true;
      if (!queuedReplies.isLast(socket, res)) return false;
      ending.add(socket);
      return true;
    },
    canReply({ socket }, res) {
      if (drain.endsConnections && ending.has(socket)) return false;
      queuedReplies.watch(socket, res);
      return true;
    },
  };
}
