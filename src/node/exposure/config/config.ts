import type { Server } from "node:http";
import type { DrainTimes } from "../../../lib/drain";
import type { CorsConfig } from "../../../tunnels/http/cors";
import { resolveAuth, type NodeExposureHttpAuthConfig, type ResolvedAuth } from "./auth";
import { amount, fieldsOf, flag, invalid } from "./configFields";
import { canonicalPath } from "../../../tunnels/http/router";
import {
  contextSelectionForm,
  isContextSelection,
  type ContextSelection,
} from "../../../tunnels/routing/contextSelection";
import { createAddressSet, type AddressSet } from "../../server/addressSet";
import { resolveDrain, type NodeExposureHttpDrainConfig } from "./drain";
import { resolveProbes, type ProbePaths } from "./probes";
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
  readonly auth?: NodeExposureHttpAuthConfig | undefined;
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
  /** Without any server tunnel: let callers reach everything that is registered. Default false. */
  readonly dangerouslyAllowOpenExposure?: boolean | undefined;
  /** Reply 404 to discovery. Default false. */
  readonly disableDiscovery?: boolean | undefined;
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
    contexts: resolveSelection(http.contexts),
    trustedProxies: resolveProxies(http.trustedProxies),
    cors: resolveCors(http.cors),
    limits: resolveLimits(http.limits),
    drain: resolveDrain(http.drain, http.limits),
    probes: resolveProbes(http, basePath),
    open: flag(http.dangerouslyAllowOpenExposure, "http.dangerouslyAllowOpenExposure"),
    discoverable: !flag(http.disableDiscovery, "http.disableDiscovery"),
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
  "dangerouslyAllowOpenExposure",
  "disableDiscovery",
  "compression",
];

function resolveBasePath(basePath: unknown = "/__runner"): string {
  if (typeof basePath !== "string") throw invalid("http.basePath", "a string", basePath);
  const path = `/${basePath.replace(/^\/+|\/+$/g, "")}`;
  const flaw = flawOf(path);
  const canonical = canonicalPath(path);
  if (flaw === undefined && canonical !== undefined) return canonical;
  const reason = flaw ?? "percent-encoding that cannot be decoded";
  throw invalid("http.basePath", `a path that requests can have, without ${reason}`, basePath);
}

/** What clients change in a path, or refuse to send, so that no request would ever arrive. */
function flawOf(path: string): string | undefined {
  if (/[?#]/.test(path)) return "query and fragment";
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\s\\\u0000-\u001f\u007f]/.test(path)) return "spaces, backslashes and control characters";
  if (path.includes("//")) return "doubled slashes";
  if (/\/(\.|%2e){1,2}(\/|$)/i.test(path)) return 'the segments "." and ".."';
  return undefined;
}

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

function resolveSelection(contexts: unknown = "all"): ContextSelection {
  if (isContextSelection(contexts)) return contexts;
  throw invalid("http.contexts", contextSelectionForm, contexts);
}

function resolveCors(cors: unknown): NodeExposureHttpCorsConfig | undefined {
  if (cors === undefined) return undefined;
  const { origin, maxAge, ...rest } = fieldsOf<NodeExposureHttpCorsConfig>(cors, "http.cors", corsKeys);
  const isPattern = (value: unknown): boolean => isOrigin(value) || value instanceof RegExp;
  if (!(
    origin === undefined ||
    origin === "*" ||
    isPattern(origin) ||
    typeof origin === "function" ||
    (Array.isArray(origin) && origin.every(isPattern))
  )) {
    const expected =
      '"*", an origin such as "https://app.example.com", a RegExp, a list of these without "*", or a function';
    throw invalid("http.cors.origin", expected, origin);
  }
  for (const key of ["methods", "allowedHeaders", "exposedHeaders"] as const) {
    const list = rest[key];
    if (list === undefined || (Array.isArray(list) && list.every(isToken))) continue;
    throw invalid(`http.cors.${key}`, key === "methods" ? "a list of methods" : "a list of header names", list);
  }
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && (maxAge as number) >= 0)) {
    throw invalid("http.cors.maxAge", "a whole number of seconds", maxAge);
  }
  for (const key of ["credentials", "varyOrigin"] as const) flag(rest[key], `http.cors.${key}`);
  return cors as NodeExposureHttpCorsConfig;
}

/** As browsers send it (RFC 6454 §6.2), "null" or without path and slash: nothing else ever matches. */
const isOrigin = (value: unknown): boolean =>
  typeof value === "string" && (value === "null" || /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#,*@]+$/i.test(value));

const isToken = (value: unknown): boolean => typeof value === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(value);

const corsKeys: readonly (keyof NodeExposureHttpCorsConfig)[] = [
  "origin",
  "methods",
  "allowedHeaders",
  "exposedHeaders",
  "credentials",
  "maxAge",
  "varyOrigin",
];

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
