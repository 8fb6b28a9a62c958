import { MuxProtocolError } from "./protocolError";
import type { WindowPayload } from "./framePayloads";

/** How many bytes of one stream may still be sent. */
export class SendCredit {
  #sentTotal = 0;
  #consumedTotal = 0;
  #limitTotal: number;

  /** @param windowBytes what the peer takes before it says more */
  constructor(windowBytes: number) {
    this.#limitTotal = windowBytes;
  }

  get availableBytes(): number {
    return Math.max(0, this.#limitTotal - this.#sentTotal);
  }

  get sentTotal(): number {
    return this.#sentTotal;
  }

  spend(bytes: number): void {
    this.#sentTotal += bytes;
  }

  /**
   * @returns whether more may be sent than before
   * @throws {MuxProtocolError} the peer took more than it was sent
   */
  update({ consumedTotal, windowBytes }: WindowPayload): boolean {
    if (consumedTotal > this.#sentTotal) {
      throw new MuxProtocolError("A WINDOW frame takes more bytes than were sent.");
    }
    // Frames of one stream arrive in order, so an older total is a repetition.
    if (consumedTotal < this.#consumedTotal) return false;
    const before = this.availableBytes;
    this.#consumedTotal = consumedTotal;
    this.#limitTotal = consumedTotal + windowBytes;
    return this.availableBytes > before;
  }
}

/** The windows that the streams of one session grant together. */
export class WindowBudget {
  readonly #maxBytes: number;
  #grantedBytes = 0;

  /** @param maxBytes beyond this no window grows */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get grantedBytes(): number {
    return this.#grantedBytes;
  }

  /** First windows are always granted: a stream without one could not even begin. */
  grant(bytes: number): void {
    this.#grantedBytes += bytes;
  }

  tryGrow(bytes: number): boolean {
    if (this.#grantedBytes + bytes > this.#maxBytes) return false;
    this.#grantedBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#grantedBytes -= bytes;
  }
}

/** What a frame costs at least while it is held, in bytes. */
const frameCostBytes = 256;

export interface ReceiveWindowOptions {
  readonly windowBytes: number;
  readonly maxWindowBytes: number;
  readonly budget: WindowBudget;
}

/**
 * What one stream may be sent by its peer.
 *
 * The window doubles while half of it is consumed in less than two round trips: then the window is what limits the
 * sender, and not the destination.
 */
export class ReceiveWindow {
  readonly #maxWindowBytes: number;
  readonly #budget: WindowBudget;
  #windowBytes: number;
  #receivedTotal = 0;
  #consumedTotal = 0;
  /** What small frames that are held cost beyond their bytes. */
  #surplusBytes = 0;
  #announcedTotal = 0;
  #announcedAtMs: number;

  constructor({ windowBytes, maxWindowBytes, budget }: ReceiveWindowOptions, nowMs: number) {
    this.#maxWindowBytes = maxWindowBytes;
    this.#budget = budget;
    this.#windowBytes = windowBytes;
    this.#announcedAtMs = nowMs;
    budget.grant(windowBytes);
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  get receivedTotal(): number {
    return this.#receivedTotal;
  }

  /** Received, and not taken by the destination. */
  get heldBytes(): number {
    return this.#receivedTotal - this.#consumedTotal;
  }

  /** What is held, with at least 256 bytes for every frame: a small one costs its place in a queue as well. */
  get chargedBytes(): number {
    return this.heldBytes + this.#surplusBytes;
  }

  /** @returns whether the peer kept to its credit; if not, nothing was counted */
  receive(bytes: number): boolean {
    if (this.#receivedTotal + bytes > this.#announcedTotal + this.#windowBytes) return false;
    this.#receivedTotal += bytes;
    if (bytes > 0) this.#surplusBytes += Math.max(0, frameCostBytes - bytes);
    return true;
  }

  /**
   * The destination took bytes.
   *
   * @param minRttMs shortest round trip of the link; `undefined` while none is known
   * @returns what to announce, once half a window was consumed
   */
  consume(bytes: number, nowMs: number, minRttMs: number | undefined): WindowPayload | undefined {
    const heldBefore = this.heldBytes;
    this.#consumedTotal = Math.min(this.#consumedTotal + bytes, this.#receivedTotal);
    if (this.#surplusBytes > 0) this.#surplusBytes = Math.ceil((this.#surplusBytes * this.heldBytes) / heldBefore);
    if (this.#consumedTotal - this.#announcedTotal < this.#windowBytes / 2) return undefined;
    if (minRttMs !== undefined && nowMs - this.#announcedAtMs < 2 * minRttMs) this.#grow();
    this.#announcedTotal = this.#consumedTotal;
    this.#announcedAtMs = nowMs;
    return { consumedTotal: this.#consumedTotal, windowBytes: this.#windowBytes };
  }

  /** The stream is over. */
  release(): void {
    this.#budget.release(this.#windowBytes);
  }

  #grow(): void {
    const grown = Math.min(this.#windowBytes * 2, this.#maxWindowBytes);
    if (grown > this.#windowBytes && this.#budget.tryGrow(grown - this.#windowBytes)) this.#windowBytes = grown;
  }
}
