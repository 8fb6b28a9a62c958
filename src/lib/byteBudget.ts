/** What a server may hold in memory at once, over all of its requests and replies. */
export class ByteBudget {
  readonly #limitBytes: number;
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether so much more would still be within it. */
  fits(bytes: number): boolean {
    return this.#heldBytes + bytes <= this.#limitBytes;
  }

  /** @returns false, and takes nothing, when it would not fit */
  take(bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    this.#heldBytes += bytes;
    return true;
  }

  /** Counts what is there already and cannot be refused any more. */
  add(bytes: number): void {
    this.#heldBytes += bytes;
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}
