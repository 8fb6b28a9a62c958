import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * Closes replies that wait behind another one of their connection, when that connection is lost.
 *
 * Node closes the one reply that is being written and forgets those behind it: tasks would never learn that their caller
 * has left, and streams would wait for ever.
 */
export interface QueuedReplies {
  watch(socket: Socket, res: ServerResponse): void;
  /** Whether no other reply waits behind this one: ending the connection with it would lose that. */
  isLast(socket: Socket, res: ServerResponse): boolean;
}

export function createQueuedReplies(): QueuedReplies {
  // One listener per connection, however many requests are sent ahead.
  const queues = new WeakMap<Socket, Set<ServerResponse>>();

  function queueOf(socket: Socket): Set<ServerResponse> {
    const known = queues.get(socket);
    if (known !== undefined) return known;
    const queue = new Set<ServerResponse>();
    socket.once("close", () => queue.forEach(close));
    queues.set(socket, queue);
    return queue;
  }

  return {
    watch(socket, res) {
      // Its turn has come, as for every request that was sent alone.
      if (res.socket !== null || !(socket as Socket | null | undefined)) return;
      const queue = queueOf(socket).add(res);
      res.once("socket", () => queue.delete(res));
    },
    isLast(socket, res) {
      const waiting = [...(queues.get(socket) ?? [])];
      return waiting.length === 0 || waiting.at(-1) === res;
    },
  };
}

/** What Node does for the reply that is being written. */
function close(res: ServerResponse): void {
  Object.assign(res, { destroyed: true, _closed: true });
  res.emit("close");
}
