/** Most pieces of one line that are kept apart: a piece takes a hundred bytes of memory beside its own. */
const joinFrom = 1024;

/**
 * Cuts bytes into lines that end in LF, however the bytes are cut into chunks. Empty lines, which are heartbeats, are left out.
 *
 * What has come of a line is kept in pieces until the line is complete, so that reading a long line takes time in proportion to
 * its length.
 */
export class LineReader {
  readonly #limitBytes: number;
  readonly #refuse: () => Error;
  // Fatal: replacement characters would pass for what was sent.
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  /** How many of the pieces, at the front, were joined. */
  #joinedCount = 0;

  /**
   * @param limitBytes of one line, without its LF
   * @param refuse makes the error for a line that is longer
   */
  constructor(limitBytes: number, refuse: () => Error) {
    this.#limitBytes = limitBytes;
    this.#refuse = refuse;
  }

  /** Whether a line has begun that is not complete. */
  get isMidLine(): boolean {
    return this.#pieceBytes > 0;
  }

  /**
   * @returns the lines that are complete now
   * @throws what `refuse` makes, as soon as a line passes the limit
   * @throws {TypeError} the bytes of a line are no UTF-8
   */
  push(chunk: Uint8Array): string[] {
    const end = chunk.lastIndexOf(lf);
    if (end === -1) {
      this.#keep(chunk);
      return [];
    }
    const lines: string[] = [];
    let rest = chunk;
    if (this.#pieceBytes > 0) {
      const first = chunk.indexOf(lf);
      this.#keep(chunk.subarray(0, first));
      lines.push(this.#decode(join(this.#pieces, this.#pieceBytes)));
      this.#pieces = [];
      this.#pieceBytes = 0;
      this.#joinedCount = 0;
      rest = chunk.subarray(first + 1);
    }
    const whole = rest.subarray(0, end + 1 - (chunk.byteLength - rest.byteLength));
    if (whole.byteLength > 0) this.#cut(whole, lines);
    if (end + 1 < chunk.byteLength) this.#keep(chunk.subarray(end + 1));
    return lines;
  }

  /** Adds the lines of bytes that end with a line. */
  #cut(bytes: Uint8Array, lines: string[]): void {
    // No line is longer than all of them together, so that their ends are looked for once, in the text.
    if (bytes.byteLength > this.#limitBytes) this.#checkLengths(bytes);
    const text = this.#decode(bytes);
    for (let from = 0; from < text.length;) {
      const to = text.indexOf("\n", from);
      if (to > from) lines.push(text.slice(from, to));
      from = to + 1;
    }
  }

  #checkLengths(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.byteLength;) {
      const to = bytes.indexOf(lf, from);
      if (to - from > this.#limitBytes) throw this.#refuse();
      from = to + 1;
    }
  }

  #keep(piece: Uint8Array): void {
    this.#pieceBytes += piece.byteLength;
    if (this.#pieceBytes > this.#limitBytes) throw this.#refuse();
    // A copy: the chunk may be large, and its memory its sender's to use again.
    if (piece.byteLength > 0) this.#pieces.push(piece.slice());
    if (this.#pieces.length - this.#joinedCount < joinFrom) return;
    const recent = this.#pieces.splice(this.#joinedCount);
    // Each byte is copied once more: what was joined is left alone.
    this.#pieces.push(join(recent));
    this.#joinedCount += 1;
  }

  #decode(bytes: Uint8Array): string {
    return this.#decoder.decode(bytes);
  }
}

const lf = 0x0a;

function join(pieces: readonly Uint8Array[], bytes = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)) {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.byteLength;
  }
  return joined;
}
