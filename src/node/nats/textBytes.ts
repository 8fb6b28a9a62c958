/** How much is set aside at a time, in bytes. */
const blockBytes = 65_536;
/** Texts that may take more have memory of their own. */
const largestShare = 16_384;

/**
 * Writes texts as bytes, short ones one behind the other in blocks: memory for each would cost more than what is written into it.
 * A block is written once, so that bytes may be kept.
 */
export class TextBytes {
  #block = Buffer.allocUnsafeSlow(0);
  #end = 0;

  write(text: string): Uint8Array {
    // No character of a string takes more than three bytes.
    const most = text.length * 3;
    if (most > largestShare) return Buffer.from(text);
    if (this.#block.length - this.#end < most) {
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
      this.#end = 0;
    }
    const start = this.#end;
    this.#end += this.#block.write(text, start);
    return this.#block.subarray(start, this.#end);
  }
}
