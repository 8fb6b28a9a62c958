import { networkOf } from "../../../tunnels/http/callerAddress";
import { createRateLimiter } from "../rateLimiter";
import type { TunnelVisitor } from "../visitor";
import type { LimitHook } from "./hook";
import type { TunnelHookScope } from "./hookContract";

/** Configures `globals.tunnelHooks.rateLimit`, which answers 429 before any gate is asked. */
export interface RateLimitHookConfig extends TunnelHookScope {
  /** How many requests within `windowMs`. */
  readonly limit: number;
  /** In ms. Default 60,000. */
  readonly windowMs?: number | undefined;
  /**
   * What is counted together: the visitor's address (of IPv6, its network of 64 bits), all visitors of a host, or what a
   * function says. Default "peer".
   */
  readonly by?: "peer" | "host" | ((visitor: TunnelVisitor) => string) | undefined;
  /** How many of these are remembered. Default 10,000. */
  readonly maxKeys?: number | undefined;
}

/** @throws {TypeError} the config cannot be meant */
export function compileRateLimit(
  option: string,
  { limit, windowMs = 60_000, by = "peer", maxKeys = 10_000 }: RateLimitHookConfig,
): readonly Omit<LimitHook, "order" | "mayServe" | "matches">[] {
  for (const [name, value] of Object.entries({ limit, windowMs, maxKeys })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new TypeError(`${option}: ${name} must be a whole number of at least 1, got ${String(value)}.`);
  }
  if (by !== "peer" && by !== "host" && typeof by !== "function") {
    throw new TypeError(`${option}: by must be "peer", "host" or a function, got "${String(by)}".`);
  }
  const keyOf =
    typeof by === "function"
      ? by
      : (visitor: TunnelVisitor): string => (by === "host" ? visitor.host : networkOf(visitor.peer));
  return [{ stage: "limit", id: "rateLimit", limiter: createRateLimiter({ limit, windowMs, maxKeys }), keyOf }];
}
