import type { ByteBudget } from "../../../lib/byteBudget";

/** What the pieces of one form take that arrived before they were read. */
export class FormMemory {
  readonly #limitBytes: number;
  readonly #budget: ByteBudget;
  #heldBytes = 0;

  /** @param budget of the whole edge */
  constructor(limitBytes: number, budget: ByteBudget) {
    this.#limitBytes = limitBytes;
    this.#budget = budget;
  }

  get isFull(): boolean {
    return this.#heldBytes > this.#limitBytes || !this.#budget.fits(0);
  }

  hold(piece: Uint8Array): void {
    const bytes = costOf(piece);
    this.#heldBytes += bytes;
    this.#budget.add(bytes);
  }

  release(piece: Uint8Array): void {
    const bytes = costOf(piece);
    this.#heldBytes -= bytes;
    this.#budget.release(bytes);
  }
}

/** A piece takes memory beside its bytes, which is most of it where pieces are small. */
const costOf = (piece: Uint8Array): number => piece.byteLength + 128;
