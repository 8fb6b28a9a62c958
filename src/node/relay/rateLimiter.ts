/** Counts what keys do over time. */
export interface RateLimiter {
  /** @returns 0 where it may be done now, and else how long until it may, in ms */
  take(key: string, nowMs: number): number;
}

export interface RateLimiterOptions {
  /** How many within `windowMs`. */
  readonly limit: number;
  readonly windowMs: number;
  /** Keys that are remembered; beyond it the ones that were seen longest ago are forgotten. */
  readonly maxKeys: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A bucket of tokens per key, which fills up evenly. */
export function createRateLimiter({ limit, windowMs, maxKeys }: RateLimiterOptions): RateLimiter {
  const buckets = new Map<string, Bucket>();
  const perMs = limit / windowMs;
  return {
    take(key, nowMs) {
      const { tokens = limit, atMs = nowMs } = buckets.get(key) ?? {};
      const filled = Math.min(limit, tokens + (nowMs - atMs) * perMs);
      // Put in again, so that the order of the map is by use.
      buckets.delete(key);
      buckets.set(key, { tokens: filled >= 1 ? filled - 1 : filled, atMs: nowMs });
      if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value as string);
      return filled >= 1 ? 0 : Math.ceil((1 - filled) / perMs);
    },
  };
}
