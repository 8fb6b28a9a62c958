import { ResetCode } from "../../relay/codes";
import type { MuxStream } from "../../relay/muxStream";
import type { BindingTable } from "./bindings";
import type { ResolvedRelayConfig } from "./config";
import type { FdPermits } from "./fdPermits";
import type { RelaySessions } from "./relaySessions";
import type { VisitorConnections } from "./visitorConnections";

/** What the parts of one relay share. */
export interface RelayParts {
  readonly config: ResolvedRelayConfig;
  readonly bindings: BindingTable;
  readonly sessions: RelaySessions;
  readonly counters: RelayCounters;
  readonly permits: FdPermits;
  readonly connections: VisitorConnections;
}

/** What a relay counts over its life; of streams, those that are over. */
export interface RelayCounters {
  preAuthRejected: number;
  readonly resumes: { resumed: number; unknown: number };
  readonly requests: Record<"1xx" | "2xx" | "3xx" | "4xx" | "5xx", number>;
  readonly streams: { http: number; tcp: number };
  /** By the name of the code. */
  readonly resets: Map<string, number>;
  /** Bodies only: from visitors, and to visitors. */
  readonly bytes: { in: number; out: number };
}

export const createCounters = (): RelayCounters => ({
  preAuthRejected: 0,
  resumes: { resumed: 0, unknown: 0 },
  requests: { "1xx": 0, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0 },
  streams: { http: 0, tcp: 0 },
  resets: new Map(Object.keys(ResetCode).map((name) => [name, 0])),
  bytes: { in: 0, out: 0 },
});

const resetNames: ReadonlyMap<number, string> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.entries(ResetCode).map(([name, code]) => [code, name]),
);

/** A stream is over. */
export function countStream(
  { streams, bytes, resets }: RelayCounters,
  { kind, sentBytes, receivedBytes }: MuxStream,
  resetCode: number | undefined,
): void {
  streams[kind] += 1;
  bytes.in += sentBytes;
  bytes.out += receivedBytes;
  // Drivers may send any number.
  const name = resetCode === undefined ? undefined : (resetNames.get(resetCode) ?? "INTERNAL");
  if (name !== undefined) resets.set(name, (resets.get(name) ?? 0) + 1);
}
