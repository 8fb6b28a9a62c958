import { CloseCode } from "./codes";
import { MuxProtocolError } from "./protocolError";
import { TokenBucket } from "./tokenBucket";

/** Visitors that leave before the driver has accepted them: ten seconds of this many are taken. */
const perSecond = 200;
const burst = 2_000;
/** What a relay that throttles its visitors can still reset, after a connection that stood still for 20 s. */
const slack = 4_000;

/**
 * Counts streams that were reset before the driver had accepted them.
 *
 * A visitor that leaves at once is no fault of the session, so a relay only slows down; a driver defends itself.
 */
export class EarlyResets {
  readonly #bucket: TokenBucket;

  /** @param role of this side */
  constructor(role: "relay" | "driver", maxStreams: number, nowMs: number) {
    this.#bucket = new TokenBucket(perSecond, role === "relay" ? burst : burst + maxStreams + slack, nowMs);
  }

  /** Whether opening more streams would only flood the driver. */
  areTooMany(nowMs: number): boolean {
    return this.#bucket.isEmpty(nowMs);
  }

  /** The relay, which is this side, has reset one. */
  sent(nowMs: number): void {
    this.#bucket.take(nowMs);
  }

  /** The driver, which is this side, was sent one. @throws {MuxProtocolError} there are too many */
  received(nowMs: number): void {
    if (this.#bucket.take(nowMs)) return;
    throw new MuxProtocolError("Too many streams are opened and reset.", "ENHANCE_CALM", CloseCode.ENHANCE_CALM);
  }
}
