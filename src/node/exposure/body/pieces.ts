/**
 * The chunks of one body until it is complete.
 *
 * However small they come: a chunk takes a hundred bytes of memory beside its own, so many of them are joined to one.
 */
export class Pieces {
  readonly #pieces: Buffer[] = [];
  /** How many of the pieces, at the front, were joined. */
  #joinedCount = 0;

  push(chunk: Buffer): void {
    this.#pieces.push(chunk);
    if (this.#pieces.length - this.#joinedCount < joinFrom) return;
    // Each byte is copied once: what was joined is left alone.
    this.#pieces.push(Buffer.concat(this.#pieces.splice(this.#joinedCount)));
    this.#joinedCount += 1;
  }

  join(): Buffer {
    return this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
  }
}

const joinFrom = 1024;
