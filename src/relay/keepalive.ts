import type { Clock } from "./clock";

export interface KeepaliveOptions {
  readonly clock: Clock;
  /** A ping follows after this long without a byte. */
  readonly pingMs: number;
  /** The link is dead after this long without a byte. */
  readonly deadMs: number;
  readonly sendPing: () => void;
  readonly onDead: () => void;
}

/** How long a machine that slept waits for a sign of life before it gives a link up, in ms. */
const wakeDeadlineMs = 3_000;

/** Watches a link for silence. */
export class Keepalive {
  readonly #options: KeepaliveOptions;
  #receivedAtMs: number;
  #cancelTimer: () => void = () => {};

  constructor(options: KeepaliveOptions) {
    this.#options = options;
    this.#receivedAtMs = options.clock.now();
    this.#schedule(options.pingMs);
  }

  /** Any byte is a sign of life. */
  received(): void {
    this.#receivedAtMs = this.#options.clock.now();
  }

  stop(): void {
    this.#cancelTimer();
  }

  #schedule(delayMs: number): void {
    const { clock, pingMs } = this.#options;
    const dueMs = clock.now() + delayMs;
    this.#cancelTimer = clock.after(delayMs, () => {
      // A timer that fires this late means that the machine slept: the peer's bytes may only be waiting to be read.
      if (clock.now() - dueMs > 2 * pingMs) this.#checkAfterSleep();
      else this.#check();
    });
  }

  #check(): void {
    const { clock, pingMs, deadMs, sendPing, onDead } = this.#options;
    const silentMs = clock.now() - this.#receivedAtMs;
    if (silentMs >= deadMs) return onDead();
    if (silentMs >= pingMs) sendPing();
    this.#schedule(silentMs >= pingMs ? Math.min(pingMs, deadMs - silentMs) : pingMs - silentMs);
  }

  #checkAfterSleep(): void {
    const { clock, sendPing, onDead } = this.#options;
    const wokeAtMs = clock.now();
    sendPing();
    this.#cancelTimer = clock.after(wakeDeadlineMs, () => {
      if (this.#receivedAtMs < wokeAtMs) onDead();
      else this.#check();
    });
  }
}
