/** Longest line between chunks, in characters. */
const maxLineChars = 16_384;

/** What is read of a body in chunks. */
export interface ChunkedHandler {
  onData(bytes: Buffer): void;
  /** @param trailers names and values in turn */
  onEnd(trailers: readonly string[]): void;
}

/** Reads a body in chunks (RFC 9112 section 7.1). */
export class ChunkedReader {
  readonly #handler: ChunkedHandler;
  readonly #trailers: string[] = [];
  #expects: "size" | "dataEnd" | "trailers" | "nothing" = "size";
  /** Of the chunk, in bytes. */
  #left = 0;
  #line = "";

  constructor(handler: ChunkedHandler) {
    this.#handler = handler;
  }

  /** @throws {Error} the bytes are no chunks */
  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && this.#expects !== "nothing";) {
      if (this.#left > 0) {
        const data = bytes.subarray(at, at + this.#left);
        at += data.length;
        this.#left -= data.length;
        this.#handler.onData(data);
        continue;
      }
      const lineEnd = bytes.indexOf(10, at);
      this.#line += bytes.toString("latin1", at, lineEnd === -1 ? bytes.length : lineEnd);
      if (this.#line.length > maxLineChars) throw new Error("A line between chunks is too long.");
      if (lineEnd === -1) return;
      at = lineEnd + 1;
      const line = this.#line.replace(/\r$/, "");
      this.#line = "";
      this.#readLine(line);
    }
  }

  #readLine(line: string): void {
    if (this.#expects === "dataEnd") {
      if (line !== "") throw new Error("A chunk has another length than it says.");
      this.#expects = "size";
    } else if (this.#expects === "size") {
      // Extensions may follow the size.
      const size = /^[0-9a-f]{1,13}(?=$|[\t ;])/i.exec(line)?.[0];
      if (size === undefined) throw new Error("A chunk has no size.");
      this.#left = Number.parseInt(size, 16);
      this.#expects = this.#left === 0 ? "trailers" : "dataEnd";
    } else if (line !== "") {
      const colon = line.indexOf(":");
      this.#trailers.push(line.slice(0, colon), line.slice(colon + 1).trim());
    } else {
      this.#expects = "nothing";
      this.#handler.onEnd(this.#trailers);
    }
  }
}
