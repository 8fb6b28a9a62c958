import type { DrainTimes } from "../../../lib/drain";
import { fieldsOf, milliseconds } from "../../../lib/configFields";
import type { ExposureLimits } from "./limits";

/** How an exposure ends. All in milliseconds. */
export interface NodeExposureHttpDrainConfig {
  /** Goes on as before for so long, while `phase` says "draining": time for a load balancer to notice. Default 0. */
  readonly delayMs?: number | undefined;
  /**
   * Then no connection is accepted and each reply ends its connection; requests that are on their way are served for so
   * long. Callers that pause less between two calls see no connection reset. Default 250.
   */
  readonly quietMs?: number | undefined;
  /**
   * How long calls in flight may take from then on, `quietMs` included. After that their signals abort, and a second
   * later their connections are cut. Default 10,000. `limits.closeMs` is another name for it.
   */
  readonly graceMs?: number | undefined;
}

/** Fills the gaps. @throws {TypeError} a time is no positive number, or one is given twice; the message names the field */
export function resolveDrain(drain: unknown, limits: unknown): DrainTimes {
  const path = "http.drain";
  const stated = fieldsOf<NodeExposureHttpDrainConfig>(drain, path, ["delayMs", "quietMs", "graceMs"]);
  const { closeMs } = (limits ?? {}) as ExposureLimits;
  if (stated.graceMs !== undefined && closeMs !== undefined && stated.graceMs !== closeMs) {
    throw new TypeError("http.drain.graceMs and http.limits.closeMs are two names of one time: set one of them.");
  }
  return Object.freeze({
    delayMs: milliseconds(stated.delayMs, `${path}.delayMs`, 0),
    quietMs: milliseconds(stated.quietMs, `${path}.quietMs`, 250),
    graceMs:
      closeMs === undefined
        ? milliseconds(stated.graceMs, `${path}.graceMs`, 10_000)
        : milliseconds(closeMs, "http.limits.closeMs", 10_000),
  });
}
