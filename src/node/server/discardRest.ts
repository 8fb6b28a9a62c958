import type { IncomingMessage } from "node:http";

/**
 * Reads on and discards what a refused request still sends, so that its sender can read the reply: closing a connection while
 * bytes arrive resets it, and its sender may then find nothing of the reply.
 *
 * Of a very long rest no more is read, and its sender has the same time to read the reply.
 *
 * @returns a promise that resolves when nothing more comes, or enough was waited for
 */
export function discardRest(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve();
  // What decodes it has stopped reading.
  request.unpipe();
  return new Promise((resolve) => {
    let seenBytes = 0;
    let steps = 0;
    let timer: NodeJS.Timeout;
    let turn: NodeJS.Immediate | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      clearImmediate(turn);
      request.off("data", count).off("end", finish).off("close", finish).off("error", finish);
      // Without it the request would be read on for as long as it lasts.
      if (!request.complete) request.destroy();
      resolve();
    };
    const count = (chunk: Buffer): void => {
      seenBytes += chunk.byteLength;
      if (seenBytes > discardBytes) request.off("data", count).pause();
    };
    const step = (): void => {
      steps += 1;
      if (steps === discardSteps) finish();
      else wait();
    };
    // In steps, each of which reads what has arrived: a process that does not get to run cuts no sender for it.
    const wait = (): void => {
      timer = setTimeout(() => (turn = setImmediate(step)), stepMs).unref();
    };
    wait();
    request.on("data", count).on("end", finish).on("close", finish).on("error", finish).resume();
  });
}

const discardBytes = 16_777_216;
/** Five seconds in all. */
const stepMs = 1000;
const discardSteps = 5;
