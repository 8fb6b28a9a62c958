import { createSecureContext } from "node:tls";
import { longestTimerMs } from "../../lib/timers";
import { hardFrameBytes } from "../../relay/frames";
import {
  bindableNames,
  compilePublicUrl,
  isBindableName,
  splitPatterns,
  type PublicUrlPattern,
} from "../../relay/publicUrl";
import type { RelayLimits } from "../../relay/handshake";
import { hostOf } from "./authority";
import { checkFields } from "./checkFields";
import { defaultFdPermits } from "./fdPermits";
import type { TunnelRelayConfig, TunnelRelayLimits } from "./tunnelRelayConfig";

/** What a relay allows visitors; sizes in bytes, times in ms. */
export interface VisitorLimits {
  readonly maxConnectionsPerIp: number;
  readonly headBytes: number;
  readonly headMs: number;
  readonly requestMs: number;
  readonly idleMs: number;
}

/** A relay's configuration with its defaults; sizes in bytes, times in ms. */
export interface ResolvedRelayConfig {
  readonly listen: { readonly port: number; readonly host: string } | undefined;
  readonly tls: TunnelRelayConfig["tls"];
  readonly server: TunnelRelayConfig["server"];
  readonly tokens: readonly string[] | undefined;
  /** In lower case. */
  readonly tokenHeader: string;
  readonly allowAnonymous: boolean | undefined;
  readonly patterns: readonly PublicUrlPattern[];
  readonly portRange: readonly [from: number, to: number];
  readonly allowedOrigins: ReadonlySet<string>;
  /** In lower case. */
  readonly hosts: ReadonlySet<string>;
  readonly allowPrivileged: { readonly expose: boolean; readonly pull: boolean };
  readonly trustedProxies: ReadonlySet<string>;
  readonly aliases: ReadonlyMap<string, string>;
  readonly session: RelayLimits;
  readonly maxPreAuthConnections: number;
  readonly helloTimeoutMs: number;
  readonly maxSessions: number;
  readonly maxSessionsPerPrincipal: number;
  readonly hookTimeoutMs: number;
  readonly connectHeadBytes: number;
  readonly fdPermits: number;
  readonly visitors: VisitorLimits;
  readonly idleMs: number;
  readonly drainMs: number;
  readonly responseTimeoutMs: number;
}

/**
 * Fills in defaults.
 *
 * @param environment where a pattern of public URLs is read from that the config leaves out
 * @throws {TypeError} a value cannot be meant; the message names it
 */
export function resolveRelayConfig(
  config: TunnelRelayConfig = {},
  environment: Readonly<Record<string, string | undefined>> = {},
): ResolvedRelayConfig {
  checkFields(config);
  const { listen, server, auth = {}, limits = {}, allowPrivileged = {}, portRange = [20_000, 20_999] } = config;
  if (listen === undefined && server === undefined) {
    throw new TypeError("tunnelRelay needs listen: { port } or a server to attach to.");
  }
  const [from, to] = portRange;
  port("portRange[0]", from);
  port("portRange[1]", to);
  if (from > to) throw new TypeError(`portRange must go from the lower to the higher port, got [${from}, ${to}].`);
  const patterns = config.publicUrlPattern ?? splitPatterns(environment.HOODY_TUNNEL_PUBLIC_URL_PATTERN ?? "");
  const tokens = auth.token === undefined ? undefined : [auth.token].flat();
  if (tokens?.some((token) => typeof token !== "string" || token === "") === true) {
    throw new TypeError("auth.token must be a string, or a list of strings, none of them empty.");
  }
  return {
    listen: listen && { port: port("listen.port", listen.port, 0), host: listen.host ?? "127.0.0.1" },
    tls: checkTls(config),
    server,
    tokens,
    tokenHeader: (auth.header ?? "x-runner-token").toLowerCase(),
    allowAnonymous: auth.allowAnonymous,
    patterns: [patterns].flat().map((pattern) => compilePublicUrl(pattern)),
    portRange: [from, to],
    allowedOrigins: new Set(config.allowedOrigins),
    hosts: new Set(config.hosts?.map((host) => hostName("hosts", host))),
    allowPrivileged: { expose: allowPrivileged.expose === true, pull: allowPrivileged.pull === true },
    trustedProxies: new Set(config.trustedProxies),
    aliases: new Map(Object.entries(config.aliases ?? {}).map(readAlias)),
    session: resolveSessionLimits(config, limits),
    maxPreAuthConnections: count("limits.maxPreAuthConnections", limits.maxPreAuthConnections, 32),
    helloTimeoutMs: count("limits.helloTimeoutMs", limits.helloTimeoutMs, 5_000),
    maxSessions: count("limits.maxSessions", limits.maxSessions, 256),
    maxSessionsPerPrincipal: count("limits.maxSessionsPerPrincipal", limits.maxSessionsPerPrincipal, 16),
    hookTimeoutMs: timer("hookTimeoutMs", config.hookTimeoutMs, 5_000),
    connectHeadBytes: count("limits.connectHeadBytes", limits.connectHeadBytes, 16_384),
    fdPermits: count("limits.fdPermits", limits.fdPermits, defaultFdPermits(fdLimitOf(config))),
    visitors: {
      maxConnectionsPerIp: count("limits.maxConnectionsPerVisitorIp", limits.maxConnectionsPerVisitorIp, 256),
      headBytes: count("limits.visitorHeadBytes", limits.visitorHeadBytes, 32_768, 1_024),
      headMs: timer("limits.visitorHeadMs", limits.visitorHeadMs, 15_000),
      requestMs: count("limits.visitorRequestMs", limits.visitorRequestMs, 300_000),
      idleMs: timer("limits.visitorIdleMs", limits.visitorIdleMs, 65_000),
    },
    idleMs: count("idleMs", config.idleMs, 300_000, 0),
    drainMs: count("drainMs", config.drainMs, 30_000, 0),
    responseTimeoutMs: timer("responseTimeoutMs", config.responseTimeoutMs, 60_000),
  };
}

function checkTls({ tls, listen }: TunnelRelayConfig): TunnelRelayConfig["tls"] {
  if (tls === undefined) return undefined;
  if (listen === undefined) throw new TypeError("tls is of the relay's own server: it needs listen: { port }.");
  // Without either, a server would start and fail every handshake.
  if (!tls.cert || !tls.key) throw new TypeError("tls needs both cert and key, as PEM.");
  try {
    createSecureContext({ cert: tls.cert, key: tls.key });
  } catch (error) {
    const reason = (error as Error).message;
    throw new TypeError(`tls.cert and tls.key must be a certificate and its key, as PEM: ${reason}`, { cause: error });
  }
  return tls;
}

const fdLimitOf = ({ fdLimit }: TunnelRelayConfig): number | undefined =>
  fdLimit === undefined ? undefined : count("fdLimit", fdLimit, fdLimit);

/** A window is announced in 32 bits. */
const largestWindow = 0xffffffff;

function resolveSessionLimits(config: TunnelRelayConfig, limits: TunnelRelayLimits): RelayLimits {
  const windowBytes = count("limits.window", limits.window, 262_144, 1_024);
  const maxWindowBytes = count("limits.maxWindow", limits.maxWindow, Math.max(windowBytes, 8_388_608), windowBytes);
  const congestedBytes = count("limits.linkQueueBytes", limits.linkQueueBytes, 1_048_576);
  const maxQueuedBytes = count("limits.maxLinkQueueBytes", limits.maxLinkQueueBytes, 16_777_216, 1_048_576);
  return {
    maxFrameBytes: atMost("limits.maxFrame", count("limits.maxFrame", limits.maxFrame, 65_536, 1_024), hardFrameBytes),
    maxStreams: atMost("limits.maxStreams", count("limits.maxStreams", limits.maxStreams, 1_000), 4_096),
    windowBytes: atMost("limits.window", windowBytes, largestWindow),
    maxWindowBytes: atMost("limits.maxWindow", maxWindowBytes, largestWindow),
    sessionBufferBytes: count("limits.sessionBufferBytes", limits.sessionBufferBytes, 67_108_864, 65_536),
    maxBindings: count("limits.maxBindings", limits.maxBindings, 32),
    maxConnectionsPerSession: count("limits.maxConnectionsPerSession", limits.maxConnectionsPerSession, 8),
    congestedBytes: atMost("limits.linkQueueBytes", congestedBytes, maxQueuedBytes),
    maxQueuedBytes,
    maxControlFrames: count("limits.maxControlFrames", limits.maxControlFrames, 4_096),
    controlRate: count("limits.controlRate", limits.controlRate, 50),
    controlBurst: count("limits.controlBurst", limits.controlBurst, 200),
    pingMs: count("pingMs", config.pingMs, 15_000),
    deadMs: count("deadMs", config.deadMs, 60_000),
    graceMs: count("graceMs", config.graceMs, 60_000, 0),
  };
}

function readAlias([host, target]: [host: string, target: { readonly name: string }]): [host: string, name: string] {
  const name: unknown = (target as { readonly name?: unknown } | undefined)?.name;
  if (typeof name !== "string" || !isBindableName(name)) {
    throw new TypeError(
      `aliases["${host}"] has the name "${String(name)}", which no binding can have: ${bindableNames}.`,
    );
  }
  return [hostName("aliases", host), name];
}

/** As requests are compared with it; anything else would match none. */
function hostName(option: string, host: string): string {
  const name = typeof host === "string" ? hostOf(host) : undefined;
  if (name !== undefined && !/:\d{1,5}$/.test(host)) return name;
  throw new TypeError(
    `${option} has "${String(host)}", which is no host name such as "shop.example.com", without scheme and port.`,
  );
}

function count(name: string, value: number | undefined, fallback: number, least = 1): number {
  if (value === undefined) return fallback;
  if (!Number.isSafeInteger(value) || value < least) {
    throw new TypeError(`${name} must be a whole number of at least ${least}, got ${String(value)}.`);
  }
  return value;
}

/** A longer time than a timer can hold would be over at once. */
const timer = (name: string, value: number | undefined, fallback: number): number =>
  Math.min(count(name, value, fallback), longestTimerMs);

function atMost(name: string, value: number, most: number): number {
  if (value > most) throw new TypeError(`${name} must be at most ${most}, got ${value}.`);
  return value;
}

function port(name: string, value: number, least = 1): number {
  return atMost(name, count(name, value, least, least), 65_535);
}
