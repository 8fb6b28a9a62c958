import type { ByteStream } from "../protocol/wire";

/** What becomes of a body while it is sent. */
export interface BodyOwner {
  /** What it is made of has failed, and the reply breaks off. */
  onFailed(error: unknown): void;
  /** Its reader has left before the end. */
  onLeft(): void;
  /** It has ended, however. Called once. */
  onEnd(): void;
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
  function end(): boolean {
    if (isOver) return false;
    isOver = true;
    owner.onEnd();
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
              end();
              onReleased();
              controller.close();
              return;
            }
            if (value.byteLength === 0) continue;
            controller.enqueue(value);
            return;
          }
        } catch (error) {
          if (!end()) return;
          onReleased();
          owner.onFailed(error);
          controller.error(error);
        }
      },
      cancel() {
        if (isOver) return;
        // Before the stream is released: a generator that waits for its signal is not asked to end before it goes on.
        owner.onLeft();
        end();
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
      if (!end()) return;
      controller.error(error);
      release();
    },
  };
}
