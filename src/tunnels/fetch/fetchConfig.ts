import type { DrainTimes } from "../../lib/drain";
import { resolveAuth, type HttpAuthConfig, type ResolvedAuth } from "../http/config/auth";
import {
  callLimitKeys,
  MiB,
  resolveCallLimits,
  type CallLimits,
  type ResolvedCallLimits,
} from "../http/config/callLimits";
import { amount, fieldsOf, flag, milliseconds } from "../../lib/configFields";
import { resolveBasePath, resolveContexts, resolveContract, resolveCors } from "../http/config/httpFields";
import { resolveProbes, type ProbePaths } from "../http/config/probes";
import type { CorsConfig } from "../http/cors";
import type { ContextSelection } from "../routing/contextSelection";
import type { ContractDetail } from "../server/discoverContract";

/** What a fetch edge accepts. What its host limits by itself, as heads and connections, is the host's. */
export interface FetchExposureLimits extends CallLimits {
  /** Bytes in memory of bodies that are being read; more get 503. Default 64 MiB. */
  readonly bufferedBytes?: number | undefined;
}

/** How a fetch edge ends. All in milliseconds. */
export interface FetchExposureDrainConfig {
  /** Goes on as before for so long: time for a load balancer to notice. Default 0. */
  readonly delayMs?: number | undefined;
  /** How long calls in flight may take from then on. After that their signals abort. Default 10,000. */
  readonly graceMs?: number | undefined;
}

/** The HTTP side of a fetch edge. */
export interface FetchExposureHttpConfig {
  /** Where calls arrive. Default "/__runner". */
  readonly basePath?: string | undefined;
  /** Without it no caller is served: no request of a fetch edge counts as one of this machine. */
  readonly auth?: HttpAuthConfig | undefined;
  /** Which async contexts callers may set, where the tunnel that opens a task or event says so too. Default "all". */
  readonly contexts?: ContextSelection | undefined;
  readonly cors?: CorsConfig | undefined;
  readonly limits?: FetchExposureLimits | undefined;
  /** How the edge ends when the run is disposed of, or by `close()`. */
  readonly drain?: FetchExposureDrainConfig | undefined;
  /**
   * A path that answers with the metrics of the run in the text format of Prometheus, as `metrics` counts them. For callers
   * that authenticate. Default: none.
   */
  readonly metrics?: string | undefined;
  /**
   * A path that answers with an OpenAPI 3.1 document of what the caller may reach, as `runner openapi` writes it. For those
   * whom discovery answers; `disableDiscovery` leaves it as it is. Default: none.
   */
  readonly openapi?: string | undefined;
  /** Without any server tunnel: let callers reach everything that is registered. Default false. */
  readonly dangerouslyAllowOpenExposure?: boolean | undefined;
  /** Reply 404 to discovery. Default false. */
  readonly disableDiscovery?: boolean | undefined;
  /** What discovery says of the contract: the hash of each task and event, or the schemas as well. Default: neither. */
  readonly contract?: ContractDetail | undefined;
}

/** What `fetchExposure.with(...)` takes; all of it has defaults. */
export interface FetchExposureConfig {
  readonly http?: FetchExposureHttpConfig | undefined;
}

export interface ResolvedFetchLimits extends ResolvedCallLimits {
  readonly bufferedBytes: number;
}

/** The config without gaps. */
export interface ResolvedFetchConfig {
  /** Starts with a slash and, unless it is "/", does not end with one. */
  readonly basePath: string;
  readonly auth: ResolvedAuth;
  readonly contexts: ContextSelection;
  readonly cors: CorsConfig | undefined;
  readonly limits: ResolvedFetchLimits;
  readonly drain: DrainTimes;
  readonly probes: Pick<ProbePaths, "metrics" | "openapi">;
  readonly open: boolean;
  readonly discoverable: boolean;
  readonly contract: ContractDetail | undefined;
}

/** Fills the gaps. @throws {TypeError} a value makes no sense, or its key does not exist; the message names the field */
export function resolveFetchConfig(config: FetchExposureConfig | undefined): ResolvedFetchConfig {
  const { http: stated } = fieldsOf<FetchExposureConfig>(config, "config", ["http"]);
  const http = fieldsOf<FetchExposureHttpConfig>(stated, "http", httpKeys);
  const basePath = resolveBasePath(http.basePath);
  return Object.freeze({
    basePath,
    auth: resolveFetchAuth(http.auth),
    contexts: resolveContexts(http.contexts),
    cors: resolveCors(http.cors),
    limits: resolveLimits(http.limits),
    drain: resolveDrain(http.drain),
    probes: resolveProbes({ metrics: http.metrics, openapi: http.openapi }, basePath),
    open: flag(http.dangerouslyAllowOpenExposure, "http.dangerouslyAllowOpenExposure"),
    discoverable: !flag(http.disableDiscovery, "http.disableDiscovery"),
    contract: resolveContract(http.contract),
  });
}

const httpKeys: readonly (keyof FetchExposureHttpConfig)[] = [
  "basePath",
  "auth",
  "contexts",
  "cors",
  "limits",
  "drain",
  "metrics",
  "openapi",
  "dangerouslyAllowOpenExposure",
  "disableDiscovery",
  "contract",
];

/** Hosts join headers that arrive twice by commas, so that a token with one could not be told from two. */
function resolveFetchAuth(auth: unknown): ResolvedAuth {
  const resolved = resolveAuth(auth);
  if (resolved.tokens?.some(({ token }) => token.includes(","))) {
    throw new TypeError("http.auth: a token of a fetch edge must not contain a comma.");
  }
  return resolved;
}

function resolveLimits(limits: unknown): ResolvedFetchLimits {
  const path = "http.limits";
  const stated = fieldsOf<FetchExposureLimits>(limits, path, [...callLimitKeys, "bufferedBytes"]);
  return Object.freeze({
    ...resolveCallLimits(stated, path),
    bufferedBytes: amount(stated.bufferedBytes, `${path}.bufferedBytes`, 64 * MiB),
  });
}

function resolveDrain(drain: unknown): DrainTimes {
  const path = "http.drain";
  const stated = fieldsOf<FetchExposureDrainConfig>(drain, path, ["delayMs", "graceMs"]);
  return Object.freeze({
    delayMs: milliseconds(stated.delayMs, `${path}.delayMs`, 0),
    quietMs: 0,
    graceMs: milliseconds(stated.graceMs, `${path}.graceMs`, 10_000),
  });
}
