import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import type { ByteStream } from "../../../tunnels/protocol/wire";
import { discardStream } from "../../../tunnels/server/streamResult";
import { createCompressor, type ContentCoding } from "../../server/compression";
import { flowOf, ReadablePieces, type PieceFlow } from "./pieceFlow";

/** How a stream is sent. */
export interface Sending {
  readonly coding?: ContentCoding | undefined;
  /** The stream failed; its response is cut, so that it is not taken for whole. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Sends a stream as the body of a response. A stream that fails cuts the response; a caller that leaves releases the
 * stream.
 *
 * @returns a promise that resolves when the response has closed
 */
export function sendPieces(stream: ByteStream, res: ServerResponse, { coding, onFailed }: Sending): Promise<void> {
  return new Promise((resolve) => {
    const compressor = coding && createCompressor(coding);
    let isOver = false;
    const release = (): void => {
      isOver = true;
      discardStream(stream);
      compressor?.destroy();
    };
    const fail = (error: unknown): void => {
      if (isOver) return;
      release();
      onFailed(error);
      // What was written in this turn has yet to leave: a reply without a head looks like one that was never begun, and
      // its call is tried again.
      res.flushHeaders();
      setImmediate(() => res.destroy());
    };
    const onClose = (): void => {
      // What has ended needs no release, and may be in use elsewhere.
      if (!res.writableEnded && !isOver) release();
      isOver = true;
      resolve();
    };
    if (res.destroyed || res.closed) {
      onClose();
      return;
    }
    res.once("close", onClose);
    if (compressor !== undefined) connect(new ReadablePieces(compressor), res, fail);
    connect(flowOf(stream), compressor ?? res, fail);
  });
}

function connect(flow: PieceFlow, target: Writable, fail: (error: unknown) => void): void {
  target.on("drain", () => flow.resume());
  flow.flowTo({ write: (piece) => target.write(piece), end: () => target.end(), fail });
}
