import type { ByteStream } from "../protocol/wire";

/** What becomes of a body while it is sent. */
export interface BodyOwner {
  /** So many bytes are sent. */
  readonly onPiece?: ((bytes: number) => void) | undefined;
  /** What it is made of has failed, and the reply breaks off. */
  onFailed(error: unknown): void;
  /** Its reader has left before the end. */
  onLeft(): void;
  /** It has ended. Called once. @param isWhole whether all of it was taken */
  onEnd(isWhole: boolean): void;
}

/** Breaks a body off, so that its reader does not take it for whole. Does nothing once it has ended. */
export type CutBody = (error: Error) => void;

/** Makes the body of a response from a stream, at the pace of its reader. */
export function streamBody(
  stream: ByteStream,
  owner: BodyOwner,
): {
  readonly body: ReadableStream<Uint8Array>;
  readonly cut: CutBody;
  /** Resolves when the stream has ended, or has given up what it held after its reader had left. */
  readonly released: Promise<void>;
} {
  const pieces = stream[Symbol.asyncIterator]();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let onReleased!: () => void;
  const released = new Promise<void>((resolve) => (onReleased = resolve));
  let isOver = false;

  /** @returns false when it had ended before */
  function end(isWhole: boolean): boolean {
    if (isOver) return false;
    isOver = true;
    owner.onEnd(isWhole);
    return true;
  }
  // What fails while it is released is no concern of the reply.
  const release = (): void => void Promise.resolve(pieces.return?.()).then(onReleased, onReleased);

  const body = new ReadableStream<Uint8Array>(
    {
      start: (given) => void (controller = given),
      async pull() {
        try {
          for (;;) {
            const { done, value } = await pieces.next();
            // Its reader has left meanwhile, and enqueuing would throw.
            if (isOver) return;
            if (done) {
              end(true);
              onReleased();
              controller.close();
              return;
            }
            if (value.byteLength === 0) continue;
            owner.onPiece?.(value.byteLength);
            controller.enqueue(value);
            return;
          }
        } catch (error) {
          if (!end(false)) return;
          onReleased();
          owner.onFailed(error);
          controller.error(error);
        }
      },
      cancel() {
        if (isOver) return;
        // Before the stream is released: a generator that waits for its signal is not asked to end before it goes on.
        owner.onLeft();
        end(false);
        release();
      },
    },
    // Nothing is read ahead of the reader.
    { highWaterMark: 0 },
  );
  return {
    body,
    released,
    cut(error) {
      if (!end(false)) return;
      controller.error(error);
      release();
    },
  };
}
