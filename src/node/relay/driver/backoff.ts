/** Delays between attempts to connect: random, so that drivers of a relay that restarts do not all come at once. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  #attempts = 0;

  constructor(minMs = 250, maxMs = 15_000) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** The next delay, in ms. */
  next(): number {
    const ceilingMs = Math.min(this.#maxMs, this.#minMs * 2 ** this.#attempts);
    this.#attempts += 1;
    return this.#minMs + Math.random() * Math.max(0, ceilingMs - this.#minMs);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
