import type { HelloErrorCode } from "./codes";
import type { Hello, HelloOk } from "./controlMessages";
import { hardFrameBytes } from "./frames";
import type { SessionSettings } from "./sessionContract";

/** The subprotocols a relay speaks, the newest first. */
export const subprotocols = ["hoody-tunnel.v2", "hoody-tunnel.v1"] as const;
export type Subprotocol = (typeof subprotocols)[number];

/** What this version offers; unknown features are dropped. */
const supportedFeatures: ReadonlySet<string> = /* @__PURE__ */ new Set(["http-frames", "autotune"]);

/** What a relay allows a session; sizes in bytes, times in ms. */
export interface RelayLimits extends SessionSettings {
  readonly graceMs: number;
  readonly maxBindings: number;
  /** Links per session, of the second version of the protocol. */
  readonly maxConnectionsPerSession: number;
}

/** Smallest values a peer can ask for: with less, hardly a head fits. */
const minFrameBytes = 1_024;
const minWindowBytes = 1_024;

/** What a relay and a driver agree on. */
export interface Negotiated {
  readonly settings: SessionSettings;
  readonly features: readonly string[];
  /** Links the driver may have, the first included. */
  readonly connections: number;
}

/**
 * Agrees on the smaller of what both sides want.
 *
 * @returns a code where the HELLO cannot be accepted
 */
export function negotiate(hello: Hello, protocol: Subprotocol, limits: RelayLimits): Negotiated | HelloErrorCode {
  if (hello.shard !== undefined) return "BAD_FRAME";
  if (hello.v !== undefined && hello.v !== versionOf(protocol)) return "VERSION";
  const maxFrameBytes = atMost(hello.maxFrame, Math.min(limits.maxFrameBytes, hardFrameBytes));
  const windowBytes = atMost(hello.window, limits.windowBytes);
  const maxStreams = atMost(hello.maxStreams, limits.maxStreams);
  if (maxFrameBytes < minFrameBytes || windowBytes < minWindowBytes || maxStreams < 1) return "BAD_FRAME";
  return {
    settings: { ...limits, maxFrameBytes, windowBytes, maxStreams },
    features: (hello.features ?? []).filter((feature) => supportedFeatures.has(feature)),
    connections:
      protocol === "hoody-tunnel.v2" ? Math.max(1, atMost(hello.connections ?? 1, limits.maxConnectionsPerSession)) : 1,
  };
}

const versionOf = (protocol: Subprotocol): number => (protocol === "hoody-tunnel.v2" ? 2 : 1);

const atMost = (wanted: number | undefined, limit: number): number => Math.min(wanted ?? limit, limit);

/**
 * What a driver takes from a HELLO_OK: nothing beyond what it asked for, whatever the relay says.
 *
 * @param asked the driver's own limits
 */
export function readAgreement(ok: HelloOk, asked: SessionSettings): SessionSettings {
  return {
    maxFrameBytes: Math.max(minFrameBytes, atMost(ok.maxFrame || undefined, asked.maxFrameBytes)),
    maxStreams: atMost(ok.maxStreams || undefined, asked.maxStreams),
    windowBytes: Math.max(minWindowBytes, atMost(ok.window || undefined, asked.windowBytes)),
    maxWindowBytes: atMost(ok.maxWindow || undefined, asked.maxWindowBytes),
    sessionBufferBytes: asked.sessionBufferBytes,
    // A driver is stricter than its relay: it is the one that can reconnect.
    pingMs: asked.pingMs,
    deadMs: asked.deadMs,
  };
}
