/** When the time of a call is up, by a clock that no change of the date moves. */
export class Deadline {
  /** On the clock of `performance.now()`, in ms. */
  readonly #at: number;

  private constructor(at: number) {
    this.#at = at;
  }

  static in(timeoutMs: number): Deadline {
    return new Deadline(performance.now() + timeoutMs);
  }

  /** Whole milliseconds; 0 once the time is up. */
  get remainingMs(): number {
    return Math.max(0, Math.ceil(this.#at - performance.now()));
  }

  isBefore(other: Deadline): boolean {
    return this.#at <= other.#at;
  }
}
