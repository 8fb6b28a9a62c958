/** For how long the quickest message of a sender is remembered, in ms: clocks drift, and are set. */
const windowMs = 60_000;
const maxSenders = 1000;

interface Sender {
  readonly sinceMs: number;
  least: number;
  /** The least of the window before. */
  before: number;
}

/**
 * How long messages wait on their way, by when they say they were sent. The clocks of two processes need not agree: what
 * counts is how much later a message is than the quickest one of the same sender.
 */
export class QueueDelay {
  readonly #senders = new Map<string, Sender>();

  /**
   * @param sender tells processes apart
   * @param sentAtMs by the sender's clock, in ms since 1970
   * @returns how long the message waited, in ms; 0 for the first of a sender
   */
  of(sender: string, sentAtMs: number, nowMs = Date.now()): number {
    const difference = nowMs - sentAtMs;
    let known = this.#senders.get(sender);
    if (known === undefined || nowMs - known.sinceMs > windowMs) {
      const before = known !== undefined && nowMs - known.sinceMs < 2 * windowMs ? known.least : difference;
      this.#senders.delete(sender);
      known = { sinceMs: nowMs, least: difference, before };
      this.#senders.set(sender, known);
      if (this.#senders.size > maxSenders) this.#senders.delete(this.#senders.keys().next().value as string);
    }
    known.least = Math.min(known.least, difference);
    return difference - Math.min(known.least, known.before);
  }
}
