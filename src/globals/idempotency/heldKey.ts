import { longestTimerMs } from "../../lib/timers";
import type { IdempotencyStore } from "../../tunnels/routing/idempotencyStore";

/** A key that a store holds for a run of this process. */
export interface HeldKey {
  /** Aborts when the store has given the key to another holder, because it was not renewed in time. */
  readonly lost: AbortSignal;
  /** Ends the renewals. */
  release(): void;
}

/** How a key is held. */
export interface HoldOptions {
  readonly leaseMs: number;
  /** Why `lost` aborts. */
  readonly reasonOfLoss: () => Error;
  /** The store did not answer; it is asked again. */
  readonly onFailed: (error: unknown) => void;
}

/** How often a key is renewed within its lease. */
export const renewalsPerLease = 3;

/** Renews a key, one renewal after the other, until it is released or lost. */
export function holdKey(store: IdempotencyStore, key: string, options: HoldOptions): HeldKey {
  const { leaseMs, reasonOfLoss, onFailed } = options;
  const lost = new AbortController();
  let isReleased = false;
  const everyMs = Math.min(leaseMs / renewalsPerLease, longestTimerMs);
  const renewLater = () => setTimeout(() => void renew(), everyMs);
  let timer = renewLater();
  async function renew(): Promise<void> {
    try {
      const isHeld: unknown = await store.renew(key);
      if (isHeld === false && !isReleased) lost.abort(reasonOfLoss());
    } catch (error) {
      onFailed(error);
    }
    if (!isReleased && !lost.signal.aborted) timer = renewLater();
  }
  return {
    lost: lost.signal,
    release() {
      isReleased = true;
      clearTimeout(timer);
    },
  };
}
