import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Watched } from "../../../tunnels/http/paceWatch";

/**
 * How far a reply has come with its reader. Standing still counts only while bytes wait: a stream may be slow to make
 * its next piece.
 *
 * Counted for the whole connection, so that a reply which waits for its turn is not blamed for the one in front.
 */
export function replyProgress(req: IncomingMessage, res: ServerResponse, onStalled: () => void): Watched {
  return {
    progress() {
      const { socket } = req as { readonly socket?: Socket | null };
      // Functions of a serverless platform have no socket, and nothing then tells how far its reader is.
      if (!socket || socket.destroyed || (res.writableLength === 0 && socket.writableLength === 0)) return undefined;
      // What has left completely, less what has yet to leave of the write under way, where the platform tells that.
      const { writeQueueSize = 0 } =
        (socket as { readonly _handle?: { readonly writeQueueSize?: number } })._handle ?? {};
      return socket.bytesWritten - socket.writableLength - writeQueueSize;
    },
    onStalled,
  };
}
