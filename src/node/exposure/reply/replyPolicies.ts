import { ByteBudget } from "../../../lib/byteBudget";
import { corsDisabled, type Cors } from "../../../tunnels/http/cors";
import { PaceWatch } from "../../../tunnels/http/paceWatch";
import type { ResolvedExposureConfig } from "../config/config";
import type { ReplyPolicy } from "./writableReply";

/** What the replies of an exposure depend on. */
export interface ReplyPolicyParts extends Pick<ReplyPolicy, "onBroken"> {
  readonly config: ResolvedExposureConfig;
  readonly cors: Cors;
}

/** The policies of the replies of one exposure. */
export interface ReplyPolicies {
  readonly policy: ReplyPolicy;
  /** Outside the base path, where other origins have no business. */
  readonly outsidePolicy: ReplyPolicy;
  /** With a budget of their own, so that calls that take all there is do not pass for a process that is broken. */
  readonly probePolicy: ReplyPolicy;
}

/** @param shared what is counted and ended for the exposure as a whole */
export function createReplyPolicies(
  { config: { limits, compression }, cors, onBroken }: ReplyPolicyParts,
  shared: Pick<ReplyPolicy, "endsConnection" | "budget">,
): ReplyPolicies {
  const compressFrom = compression.responseThreshold;
  const policy: ReplyPolicy = {
    ...shared,
    cors,
    vary: [cors.varies && "Origin", compressFrom !== undefined && "Accept-Encoding"].filter(Boolean).join(", "),
    compressFrom,
    readerWatch: new PaceWatch(limits.replyIdleMs),
    itemsWatch: new PaceWatch(limits.streams.drainMs),
    eventsWatch: new PaceWatch(limits.subscriptions.drainMs),
    onBroken,
  };
  const outsidePolicy: ReplyPolicy = { ...policy, cors: corsDisabled, vary: "", compressFrom: undefined };
  return { policy, outsidePolicy, probePolicy: { ...outsidePolicy, budget: new ByteBudget(limits.bufferedBytes) } };
}
