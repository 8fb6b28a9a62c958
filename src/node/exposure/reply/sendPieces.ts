import type { ServerResponse } from "node:http";
import type { ByteStream } from "../../../tunnels/protocol/wire";
import { discardStream } from "../../../tunnels/server/streamResult";
import type { ByteBudget } from "../../../lib/byteBudget";
import type { ContentCoding } from "../../contentCodings";
import { cutReply } from "../../server/handMadeResponse";
import { flowOf, ReadablePieces, type PieceFlow } from "./pieceFlow";

/** How a stream is sent. */
export interface Sending {
  readonly coding?: ContentCoding | undefined;
  /** Counts what waits for the reader. */
  readonly budget?: ByteBudget | undefined;
  /** The stream failed; its response is cut, so that it is not taken for whole. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Sends a stream as the body of a response. A stream that fails cuts the response; a caller that leaves releases the
 * stream.
 *
 * @returns a promise that resolves when the response has closed
 */
export function sendPieces(
  stream: ByteStream,
  res: ServerResponse,
  { coding, budget, onFailed }: Sending,
): Promise<void> {
  return new Promise((resolve) => {
    const compressor = coding?.createEncoder();
    let isOver = false;
    let heldBytes = 0;
    const drained = (): void => {
      budget?.release(heldBytes);
      heldBytes = 0;
    };
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
      setImmediate(() => cutReply(res));
      res.flushHeaders();
    };
    const onClose = (): void => {
      // What has ended needs no release, and may be in use elsewhere.
      if (!res.writableEnded && !isOver) release();
      isOver = true;
      drained();
      resolve();
    };
    if (res.destroyed || res.closed) {
      onClose();
      return;
    }
    res.once("close", onClose).on("drain", drained);
    const target: PieceTarget = {
      write(piece) {
        try {
          if (res.write(piece)) return true;
        } catch (error) {
          fail(error);
        }
        heldBytes += piece.byteLength;
        budget?.add(piece.byteLength);
        return false;
      },
      end() {
        try {
          res.end();
        } catch (error) {
          fail(error);
        }
      },
      on: (event, listener) => res.on(event, listener),
    };
    if (compressor !== undefined) connect(new ReadablePieces(compressor), target, fail);
    connect(flowOf(stream), compressor ?? target, fail);
  });
}

/** As much of a writable stream as pieces need. */
interface PieceTarget {
  write(piece: Uint8Array): boolean;
  end(): unknown;
  on(event: "drain", listener: () => void): unknown;
}

function connect(flow: PieceFlow, target: PieceTarget, fail: (error: unknown) => void): void {
  target.on("drain", () => flow.resume());
  flow.flowTo({ write: (piece) => target.write(piece), end: () => target.end(), fail });
}
