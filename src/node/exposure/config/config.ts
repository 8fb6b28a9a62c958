import type { Server } from "node:http";
import type { DrainTimes } from "../../../lib/drain";
import type { CorsConfig } from "../../../tunnels/http/cors";
import { resolveAuth, type HttpAuthConfig, type ResolvedAuth } from "../../../tunnels/http/config/auth";
import { amount, fieldsOf, flag, invalid } from "../../../lib/configFields";
import {
  resolveBasePath,
  resolveContexts,
  resolveContract,
  resolveCors,
} from "../../../tunnels/http/config/httpFields";
import { resolveProbes, type ProbePaths } from "../../../tunnels/http/config/probes";
import type { ContextSelection } from "../../../tunnels/routing/contextSelection";
import type { ContractDetail } from "../../../tunnels/server/discoverContract";
import { createAddressSet, type AddressSet } from "../../server/addressSet";
import { resolveDrain, type NodeExposureHttpDrainConfig } from "./drain";
import { resolveLimits, type ExposureLimits, type ResolvedLimits } from "./limits";

/** What browsers on other origins may do. */
export interface NodeExposureHttpCorsConfig extends CorsConfig {}

/** Content codings, all off by default. */
export interface NodeExposureHttpCompressionConfig {
  /** Compress replies for callers that ask for it; text from `threshold` bytes on. Default threshold 1024. */
  readonly responses?: boolean | { readonly threshold?: number | undefined } | undefined;
  /** Accept compressed requests. Limits count decoded bytes. */
  readonly requests?: boolean | undefined;
}

/** The HTTP side of an exposure. */
export interface NodeExposureHttpConfig {
  /** Where calls arrive. Default "/__runner". */
  readonly basePath?: string | undefined;
  /** A server of yours to attach to; it is neither started nor closed. Takes the place of `listen`. */
  readonly server?: Server | undefined;
  /** Start an own server. Port 0 picks a free one. Default host "127.0.0.1". */
  readonly listen?: { readonly port: number; readonly host?: string | undefined } | undefined;
  readonly auth?: HttpAuthConfig | undefined;
  /** Which async contexts callers may set, where the tunnel that opens a task or event says so too. Default "all". */
  readonly contexts?: ContextSelection | undefined;
  /** Addresses and ranges, as "10.0.0.0/8", of proxies whose `X-Forwarded-For` tells who calls. Default: none. */
  readonly trustedProxies?: readonly string[] | undefined;
  readonly cors?: NodeExposureHttpCorsConfig | undefined;
  readonly limits?: ExposureLimits | undefined;
  /** How the exposure ends when the run is disposed of, or by `close()`. */
  readonly drain?: NodeExposureHttpDrainConfig | undefined;
  /**
   * A path, inside or outside the base path, that says whether the process works: 200, or 503 where a check that affects
   * health fails. Anyone may ask. Default: none.
   */
  readonly health?: string | undefined;
  /** As `health`, but says whether calls may be sent: 503 until the run is ready, while it drains, and where any check fails. */
  readonly ready?: string | undefined;
  /**
   * As `health`, with the metrics of the run in the text format of Prometheus, as `metrics` counts them. For programs of this
   * machine and callers that authenticate. Default: none.
   */
  readonly metrics?: string | undefined;
  /**
   * As `health`, with an OpenAPI 3.1 document of what the caller may reach, as `runner openapi` writes it. For those whom
   * discovery answers; `disableDiscovery` leaves it as it is. Default: none.
   */
  readonly openapi?: string | undefined;
  /** Without any server tunnel: let callers reach everything that is registered. Default false. */
  readonly dangerouslyAllowOpenExposure?: boolean | undefined;
  /** Reply 404 to discovery. Default false. */
  readonly disableDiscovery?: boolean | undefined;
  /**
   * What discovery says of the contract: the hash of each task and event, by which callers notice that it changed, or
   * the schemas as well, which `runner contract pull` writes to a file. Default: neither.
   */
  readonly contract?: ContractDetail | undefined;
  readonly compression?: NodeExposureHttpCompressionConfig | undefined;
}

/** What `nodeExposure.with(...)` takes; all of it has defaults. */
export interface NodeExposureConfig {
  readonly http?: NodeExposureHttpConfig | undefined;
}

/** The config without gaps. */
export interface ResolvedExposureConfig {
  /** Starts with a slash and, unless it is "/", does not end with one. */
  readonly basePath: string;
  readonly server: Server | undefined;
  readonly listen: { readonly port: number; readonly host: string } | undefined;
  readonly auth: ResolvedAuth;
  readonly contexts: ContextSelection;
  readonly trustedProxies: AddressSet | undefined;
  readonly cors: NodeExposureHttpCorsConfig | undefined;
  readonly limits: ResolvedLimits;
  readonly drain: DrainTimes;
  readonly probes: ProbePaths;
  readonly open: boolean;
  readonly discoverable: boolean;
  readonly contract: ContractDetail | undefined;
  readonly compression: ResolvedCompression;
}

export interface ResolvedCompression {
  /** Smallest text that is compressed, in bytes; `undefined` leaves all replies as they are. */
  readonly responseThreshold: number | undefined;
  readonly requests: boolean;
}

/** Fills the gaps. @throws {TypeError} a value makes no sense, or its key does not exist; the message names the field */
export function resolveExposureConfig(config: NodeExposureConfig | undefined): ResolvedExposureConfig {
  const { http: stated } = fieldsOf<NodeExposureConfig>(config, "config", ["http"]);
  const http = fieldsOf<NodeExposureHttpConfig>(stated, "http", httpKeys);
  const basePath = resolveBasePath(http.basePath);
  return Object.freeze({
    basePath,
    server: resolveServer(http.server),
    listen: resolveListen(http.listen),
    auth: resolveAuth(http.auth),
    contexts: resolveContexts(http.contexts),
    trustedProxies: resolveProxies(http.trustedProxies),
    cors: resolveCors(http.cors),
    limits: resolveLimits(http.limits),
    drain: resolveDrain(http.drain, http.limits),
    probes: resolveProbes(http, basePath),
    open: flag(http.dangerouslyAllowOpenExposure, "http.dangerouslyAllowOpenExposure"),
    discoverable: !flag(http.disableDiscovery, "http.disableDiscovery"),
    contract: resolveContract(http.contract),
    compression: resolveCompression(http.compression),
  });
}

const httpKeys: readonly (keyof NodeExposureHttpConfig)[] = [
  "basePath",
  "server",
  "listen",
  "auth",
  "contexts",
  "trustedProxies",
  "cors",
  "limits",
  "drain",
  "health",
  "ready",
  "metrics",
  "openapi",
  "dangerouslyAllowOpenExposure",
  "disableDiscovery",
  "contract",
  "compression",
];

function resolveServer(server: unknown): Server | undefined {
  if (server === undefined) return undefined;
  // By what is used of it: https and servers of frameworks are not instances of `http.Server`.
  const { on } = Object(server) as { on?: unknown };
  if (typeof on === "function") return server as Server;
  throw invalid("http.server", "an http.Server", server);
}

function resolveListen(listen: unknown): ResolvedExposureConfig["listen"] {
  if (listen === undefined) return undefined;
  const fields = fieldsOf<NonNullable<NodeExposureHttpConfig["listen"]>>(listen, "http.listen", ["port", "host"]);
  const { port, host = "127.0.0.1" } = fields;
  if (!(Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65535)) {
    throw invalid("http.listen.port", "an integer from 0 to 65535", port);
  }
  if (typeof host !== "string" || host === "") throw invalid("http.listen.host", "a non-empty string", host);
  return { port: port as number, host };
}

function resolveProxies(proxies: unknown): AddressSet | undefined {
  if (proxies === undefined) return undefined;
  if (!Array.isArray(proxies)) throw invalid("http.trustedProxies", "a list of addresses and ranges", proxies);
  return createAddressSet("http.trustedProxies", proxies as readonly string[]);
}

function resolveCompression(compression: unknown): ResolvedCompression {
  const path = "http.compression";
  const stated = fieldsOf<NodeExposureHttpCompressionConfig>(compression, path, ["responses", "requests"]);
  const { responses = false } = stated;
  const requests = flag(stated.requests, `${path}.requests`);
  if (typeof responses === "boolean") return { responseThreshold: responses ? defaultThreshold : undefined, requests };
  const { threshold } = fieldsOf<{ threshold: number }>(responses, `${path}.responses`, ["threshold"]);
  return { responseThreshold: amount(threshold, `${path}.responses.threshold`, defaultThreshold), requests };
}

/** In bytes. */
const defaultThreshold = 1024;
