import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  fallback,
  handleAll,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from "cockatiel";
import { callSampler } from "../lib/callSampler.mjs";

const policies = {
  retry: () => retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() }),
  timeout: () => timeout(60_000, TimeoutStrategy.Aggressive),
  circuitBreaker: () => circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker: new ConsecutiveBreaker(5) }),
  concurrency: () => bulkhead(10, Infinity),
  fallback: () => fallback(handleAll, 0),
};

/** It has no rate limit, no throttle and no cache. */
export function start({ row }) {
  const empty = async () => {};
  if (row === "none") return callSampler(empty);
  if (row === "all5") {
    // One less than the others have.
    const policy = wrap(policies.fallback(), policies.circuitBreaker(), policies.retry(), policies.timeout());
    return callSampler(() => policy.execute(empty));
  }
  const policy = policies[row]?.();
  return policy === undefined ? { missing: true } : callSampler(() => policy.execute(empty));
}
