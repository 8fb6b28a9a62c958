/** Time, given from outside, so that tests decide when it passes. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Calls once after a delay in ms; does not keep the process alive. @returns what cancels it */
  after(delayMs: number, run: () => void): () => void;
  /** Calls once all that is ready now was handled. */
  soon(run: () => void): void;
}
