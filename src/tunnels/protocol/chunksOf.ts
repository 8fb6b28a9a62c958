import type { ByteStream } from "./wire";

/** The pieces of a stream, in order. Ending the iteration early ends the stream. */
export function chunksOf(stream: ByteStream | ReadableStream<Uint8Array>): AsyncIterator<Uint8Array> {
  // Not every browser can iterate its streams.
  if (!("getReader" in stream)) return stream[Symbol.asyncIterator]();
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<Uint8Array>>,
    async return() {
      await reader.cancel();
      return ended;
    },
  };
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };
