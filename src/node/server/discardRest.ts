import type { IncomingMessage } from "node:http";

/**
 * Reads on and discards what a refused request still sends, so that its sender can read the reply.
 *
 * @returns a promise that resolves when nothing more comes, or enough was waited for
 */
export function discardRest(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve();
  // What decodes it has stopped reading.
  request.unpipe();
  return new Promise((resolve) => {
    let seenBytes = 0;
    const finish = (): void => {
      clearTimeout(timer);
      request.off("data", count).off("end", finish).off("close", finish).off("error", finish);
      // Without it the request would be read on for as long as it lasts.
      if (!request.complete) request.destroy();
      resolve();
    };
    const count = (chunk: Buffer): void => {
      seenBytes += chunk.byteLength;
      if (seenBytes > discardBytes) finish();
    };
    const timer = setTimeout(finish, discardMs).unref();
    request.on("data", count).on("end", finish).on("close", finish).on("error", finish).resume();
  });
}

const discardBytes = 16_777_216;
const discardMs = 5000;
