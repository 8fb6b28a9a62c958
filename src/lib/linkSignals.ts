/** A signal that follows others until it is released. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Takes the listeners away; the signal does not abort any more. */
  release(): void;
}

/**
 * Joins signals into one, which aborts with the reason of the first that aborts.
 *
 * Unlike `AbortSignal.any`, it can be released: a long-lived signal keeps nothing of the calls that followed it.
 */
export function linkSignals(signals: readonly AbortSignal[]): LinkedSignal {
  const controller = new AbortController();
  const release = (): void => {
    for (const signal of signals) signal.removeEventListener("abort", follow);
  };
  function follow(this: AbortSignal): void {
    release();
    controller.abort(this.reason);
  }
  const aborted = signals.find((signal) => signal.aborted);
  if (aborted !== undefined) controller.abort(aborted.reason);
  else for (const signal of signals) signal.addEventListener("abort", follow, { once: true });
  return { signal: controller.signal, release };
}
