/** What takes a place. */
export interface WaitingCall {
  readonly hasCallerLeft: boolean;
}

/** Calls whose callers wait for a reply or are still taking it. */
export class WaitingCalls {
  readonly #calls = new Set<WaitingCall>();
  readonly #limit: number;
  #lookedAtMs = -Infinity;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(call: WaitingCall): void {
    this.#calls.add(call);
  }

  delete(call: WaitingCall): void {
    this.#calls.delete(call);
  }

  /**
   * Whether there is a place for one more. Callers that have left give theirs back: listening to the signal of each request
   * costs more than looking at all of them when there is no place.
   */
  hasRoom(): boolean {
    if (this.#calls.size < this.#limit) return true;
    const now = performance.now();
    if (now - this.#lookedAtMs < betweenLooksMs) return false;
    this.#lookedAtMs = now;
    for (const call of this.#calls) if (call.hasCallerLeft) this.#calls.delete(call);
    return this.#calls.size < this.#limit;
  }
}

const betweenLooksMs = 50;
