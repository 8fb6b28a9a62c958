import { tryTimer } from "./timers";

/**
 * Knows what is waited for, by name, and reports once what takes long. One timer serves all of it: an application has
 * hundreds of things to wait for, and most take no time.
 */
export class WaitWatch {
  readonly #afterMs: number;
  readonly #onSlow: (name: string) => void;
  readonly #begun = new Map<string, number>();
  readonly #reported = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onSlow called with what has been waited for `afterMs` */
  constructor(afterMs: number, onSlow: (name: string) => void) {
    this.#afterMs = afterMs;
    this.#onSlow = onSlow;
  }

  /** What is waited for now, in the order it began. */
  get names(): string[] {
    return [...this.#begun.keys()];
  }

  begin(name: string): void {
    this.#begun.set(name, Date.now());
    this.#timer ??= tryTimer(this.#check, this.#afterMs);
  }

  end(name: string): void {
    this.#begun.delete(name);
  }

  /** Clears the timer; call it when nothing more begins. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    const now = Date.now();
    let nextMs = Infinity;
    for (const [name, begun] of this.#begun) {
      const leftMs = begun + this.#afterMs - now;
      if (this.#reported.has(name)) continue;
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs);
      else {
        this.#reported.add(name);
        this.#onSlow(name);
      }
    }
    if (nextMs < Infinity) this.#timer = tryTimer(this.#check, nextMs);
  };
}
