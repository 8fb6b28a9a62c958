/**
 * The chunks of one body until it is complete.
 *
 * However small they come: a chunk takes a hundred bytes of memory beside its own, so many of them are joined to one.
 */
export class ChunkList {
  readonly #chunks: Buffer[] = [];
  /** How many of the chunks, at the front, were joined. */
  #joinedCount = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    if (this.#chunks.length - this.#joinedCount < joinFrom) return;
    // Each byte is copied once: what was joined is left alone.
    this.#chunks.push(Buffer.concat(this.#chunks.splice(this.#joinedCount)));
    this.#joinedCount += 1;
  }

  join(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
  }
}

const joinFrom = 1024;
