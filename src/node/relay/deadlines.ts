import { longestTimerMs } from "../../lib/timers";

/** Something that is waited for, until `dueMs`. */
export interface Deadline {
  dueMs: number;
  onLate: (() => void) | undefined;
}

/**
 * Waits the same time for any number of things, with one timer: one for each would cost as much as the rest of a small
 * request, and memory while it waits.
 */
export class Deadlines {
  readonly #waitMs: number;
  /** The one that is due first comes first. */
  readonly #waiting = new Set<Deadline>();
  #timer: NodeJS.Timeout | undefined;

  /** @param waitMs how long each is waited for, in ms */
  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** @param onLate called once, unless it was deleted before */
  add(onLate: () => void): Deadline {
    const deadline: Deadline = { dueMs: performance.now() + this.#waitMs, onLate };
    this.#waiting.add(deadline);
    if (this.#timer === undefined) this.#schedule(this.#waitMs);
    return deadline;
  }

  /** Waits for the whole time again. */
  refresh(deadline: Deadline): void {
    if (!this.#waiting.delete(deadline)) return;
    deadline.dueMs = performance.now() + this.#waitMs;
    this.#waiting.add(deadline);
  }

  delete(deadline: Deadline): void {
    this.#waiting.delete(deadline);
    // V8 keeps what a set has held until the next major collection, if the set has outlived minor ones.
    deadline.onLate = undefined;
  }

  #schedule(delayMs: number): void {
    // What is waited for has a connection, which keeps the process alive where it should be.
    this.#timer = setTimeout(() => this.#run(), Math.min(Math.max(1, delayMs), longestTimerMs)).unref();
  }

  #run(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    for (const deadline of this.#waiting) {
      if (deadline.dueMs > nowMs) return this.#schedule(Math.ceil(deadline.dueMs - nowMs));
      this.#waiting.delete(deadline);
      deadline.onLate?.();
    }
  }
}
