import { isWorkerd } from "../../lib/detectEnvironment";

/** A body that is read piece by piece. */
export interface BytePieces {
  /** @returns `undefined` at the end */
  next(): Promise<Uint8Array | undefined>;
  /**
   * Ends the reading. The rest is thrown away as it comes, so that the connection can be used again; of a very large one what
   * is left stays where it is: cancelling it would destroy the connection, and the reply with it, where it comes from a
   * stream of Node.
   */
  release(): void;
}

/**
 * Reads the body of a request. What a connection brings are bytes, and never none; a request that was made by hand may have any
 * stream.
 *
 * @throws {TypeError} something else is reading it
 */
export function openPieces(body: ReadableStream<Uint8Array>): BytePieces {
  const reader = isWorkerd() ? openByob(body) : undefined;
  const plain = reader === undefined ? body.getReader() : undefined;
  let isEnded = false;
  /** @throws {TypeError} a piece is not of bytes, or none of many has any */
  async function next(): Promise<Uint8Array | undefined> {
    for (let emptyPieces = 0; emptyPieces < mostEmpty; emptyPieces += 1) {
      const { done, value } =
        reader === undefined
          ? await (plain as ReadableStreamDefaultReader<Uint8Array>).read()
          : await reader.read(new Uint8Array(byobBytes));
      if (done) isEnded = true;
      // At the end, a reader into memory of ours gives that back.
      if (done) return undefined;
      if (!ArrayBuffer.isView(value)) break;
      if (value.byteLength > 0) return value;
    }
    throw new TypeError("The body of the request is no stream of bytes.");
  }
  /** What fails here fails for the reply as well, or for no one. */
  async function discardRest(): Promise<void> {
    try {
      for (let bytes = 0; !isEnded && bytes < restBytes; bytes += (await next())?.byteLength ?? 0);
      (reader ?? plain)?.releaseLock();
    } catch {
      // The connection is lost.
    }
  }
  return { next, release: () => void discardRest() };
}

/** As `nodeExposure` reads on. */
const restBytes = 16_777_216;
/** Most empty pieces in a row: they cost the event loop its turn, and are within every limit of bytes. */
const mostEmpty = 1_000;

/** There, reading into memory of ours is six times as fast. Bodies that no connection brings have no such reader. */
function openByob(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

const byobBytes = 65_536;

/** Collects bytes in one piece of memory, however small they come. */
export class ByteCollector {
  #bytes = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(piece: Uint8Array): void {
    const length = this.#length + piece.byteLength;
    if (length > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.byteLength, 1024));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** Decoded as a whole: a character may be cut by the border of two pieces. */
  text(): string {
    return new TextDecoder().decode(this.#bytes.subarray(0, this.#length));
  }
}
