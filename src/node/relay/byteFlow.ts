import type { Readable, Writable } from "node:stream";
import type { MuxStream } from "../../relay/muxStream";

/**
 * Sends what a source gives, at the pace of the stream.
 *
 * @returns `onDrain` for the stream's handler
 */
export function sendFrom(source: Readable, stream: MuxStream, endOf: () => readonly string[] | undefined): () => void {
  source.on("data", (chunk: Buffer) => {
    // What comes after the end of the stream is left to what else reads the source.
    if (!stream.write(chunk) && !stream.isClosed) source.pause();
  });
  const end = (): void => {
    const trailers = endOf();
    stream.end(trailers === undefined || trailers.length === 0 ? undefined : trailers);
  };
  // A source with nothing to read ends by itself, maybe before it is read.
  if (source.readableEnded) end();
  else source.once("end", end);
  return () => void source.resume();
}

/**
 * Writes what a stream received, and consumes it once the destination has taken it.
 *
 * @returns `onData` for the stream's handler
 */
export function receiveInto(destination: Writable, stream: Pick<MuxStream, "consumed">): (bytes: Uint8Array) => void {
  let waitingBytes = 0;
  let isWatched = false;
  const take = (): void => {
    const taken = waitingBytes;
    waitingBytes = 0;
    if (taken > 0) stream.consumed(taken);
  };
  /** Most destinations take all at once: until one does not, nothing need be heard of it. */
  const watch = (): void => {
    isWatched = true;
    // One that was ended drains no more, although it still has bytes to write; and what is lost takes no more.
    destination.on("drain", take).once("finish", take).once("close", take);
  };
  return (bytes) => {
    if (destination.destroyed) stream.consumed(bytes.length);
    else if (destination.write(detached(bytes)) && waitingBytes === 0) stream.consumed(bytes.length);
    else {
      waitingBytes += bytes.length;
      if (!isWatched) watch();
    }
  };
}

/** A small piece that is held would keep the whole memory that its message arrived in. */
export const detached = (bytes: Uint8Array): Uint8Array =>
  bytes.length * 16 < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes;
