import type { BindingTable } from "./bindings";
import type { ResolvedRelayConfig } from "./config";
import type { RelaySessions } from "./relaySessions";

/** What the parts of one relay share. */
export interface RelayParts {
  readonly config: ResolvedRelayConfig;
  readonly bindings: BindingTable;
  readonly sessions: RelaySessions;
  readonly counters: RelayCounters;
}

/** What a relay counts over its life. */
export interface RelayCounters {
  preAuthRejected: number;
  readonly resumes: { resumed: number; unknown: number };
  readonly requests: Record<"1xx" | "2xx" | "3xx" | "4xx" | "5xx", number>;
}

export const createCounters = (): RelayCounters => ({
  preAuthRejected: 0,
  resumes: { resumed: 0, unknown: 0 },
  requests: { "1xx": 0, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0 },
});
