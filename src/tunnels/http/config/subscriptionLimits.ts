import {
  subscriptionLimits as defaults,
  type ReplayLimits,
  type ResolvedSubscriptionLimits,
  type SubscriptionLimits,
} from "../../protocol/subscriptions";
import { amount, fieldsOf, milliseconds } from "../../../lib/configFields";

const keys: readonly (keyof SubscriptionLimits)[] = ["ring", "queuedBytes", "drainMs", "open", "events"];
const ringKeys: readonly (keyof ReplayLimits)[] = ["count", "bytes", "ageMs"];

/** Fills the gaps. @throws {TypeError} a limit is no positive number; the message names the field */
export function resolveSubscriptionLimits(stated: unknown, path: string): ResolvedSubscriptionLimits {
  const limits = fieldsOf<SubscriptionLimits>(stated, path, keys);
  const ring = fieldsOf<ReplayLimits>(limits.ring, `${path}.ring`, ringKeys);
  return {
    ring: {
      count: amount(ring.count, `${path}.ring.count`, defaults.ring.count),
      bytes: amount(ring.bytes, `${path}.ring.bytes`, defaults.ring.bytes),
      ageMs: milliseconds(ring.ageMs, `${path}.ring.ageMs`, defaults.ring.ageMs),
    },
    queuedBytes: amount(limits.queuedBytes, `${path}.queuedBytes`, defaults.queuedBytes),
    drainMs: milliseconds(limits.drainMs, `${path}.drainMs`, defaults.drainMs),
    open: amount(limits.open, `${path}.open`, defaults.open),
    events: amount(limits.events, `${path}.events`, defaults.events),
  };
}
