import type { IncomingMessage } from "node:http";
import { withoutGateCookies } from "./gates/gateCookie";

/** RFC 9110 section 7.6.1: what belongs to one connection, and not to the message. */
const hopByHop: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** CGI, WSGI and their kind make one variable of `x-forwarded-for` and `x_forwarded_for`. */
const dashed = (name: string): string => (name.includes("_") ? name.replaceAll("_", "-") : name);

const isForwarding = (name: string): boolean =>
  name === "forwarded" ||
  name === "x-real-ip" ||
  name === "x-request-id" ||
  name.startsWith("x-forwarded-") ||
  name.startsWith("x-hoody-");

/** First letters of the names that something is done about: most headers begin with others, and cost nothing more. */
const firstLetters: ReadonlySet<number> = /* @__PURE__ */ new Set(
  /* @__PURE__ */ [..."ckptufx"].map((letter) => letter.charCodeAt(0)),
);

function filterHeaders(headers: readonly string[], isDropped: (name: string) => boolean): string[] {
  const kept: string[] = [];
  let listed: Set<string> | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    const raw = headers[index] as string;
    // Of a letter this is the small one.
    if (!firstLetters.has(raw.charCodeAt(0) | 32)) {
      kept.push(raw, headers[index + 1] as string);
      continue;
    }
    const name = raw.toLowerCase();
    if (name === "connection") listed = addListed(headers[index + 1] as string, listed);
    if (!isDropped(name)) kept.push(raw, headers[index + 1] as string);
  }
  return listed === undefined ? kept : withoutListed(kept, listed);
}

/** Names that a `Connection` header lists are of the connection as well. Most list none but those dropped anyway. */
function addListed(value: string, listed: Set<string> | undefined): Set<string> | undefined {
  if (value === "keep-alive") return listed;
  const names = value.split(",").map((name) => name.trim().toLowerCase());
  return new Set([...(listed ?? []), ...names.filter((name) => !ofMessage.has(name))]);
}

/** What a request or response cannot be without, also where `Connection` lists it: its authority, and where its body ends. */
const ofMessage: ReadonlySet<string> = /* @__PURE__ */ new Set(["host", "content-length"]);

const withoutListed = (headers: readonly string[], listed: ReadonlySet<string>): string[] =>
  headers.filter((_, index) => !listed.has((headers[index & ~1] as string).toLowerCase()));

/** Names and values in turn, as the pairs that Node takes for trailers and early hints. */
export function pairsOf(flat: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < flat.length; index += 2) pairs.push([flat[index] as string, flat[index + 1] as string]);
  return pairs;
}

/** Names and values in turn, without those of the connection. */
export const endToEndHeaders = (headers: readonly string[]): string[] =>
  filterHeaders(headers, (name) => hopByHop.has(name));

/**
 * As `endToEndHeaders`; `Upgrade` and `Connection: Upgrade` stay. A length goes: an upgrade carries no body, and a
 * service that waits for one would take the next visitor's request for it.
 */
export const upgradeHeaders = (headers: readonly string[], protocol: string): string[] => [
  ...filterHeaders(headers, (name) => hopByHop.has(name) || name === "content-length"),
  "Connection",
  "Upgrade",
  "Upgrade",
  protocol,
];

/**
 * RFC 9110 section 6.5.1: what frames, routes, authenticates or describes a message was decided on by its headers. Some
 * applications put trailers among them.
 */
const neverTrailers: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "host",
  "content-length",
  "content-encoding",
  "content-type",
  "content-range",
  "authorization",
  "cookie",
  "set-cookie",
  "expect",
  "range",
  "cache-control",
  "location",
  "www-authenticate",
]);

/** Trailers that may be passed on, in either direction. */
export const endToEndTrailers = (trailers: readonly string[]): string[] =>
  trailers.filter((_, index) => {
    const name = (trailers[index & ~1] as string).toLowerCase();
    return !hopByHop.has(name) && !neverTrailers.has(name) && !isForwarding(dashed(name));
  });

/** Cookies of gates are sent to all that shares their host, and end at the relay. */
function hideGateCookies(headers: string[], cookie: string | undefined): string[] {
  if (cookie === undefined) return headers;
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if ((headers[index] as string).toLowerCase() !== "cookie") continue;
    const kept = withoutGateCookies(headers[index + 1] as string);
    if (kept === undefined) headers.splice(index, 2);
    else headers[index + 1] = kept;
  }
  return headers;
}

export interface VisitorFacts {
  /** Address of the visitor, after trusted proxies. */
  readonly address: string;
  readonly isSecure: boolean;
  readonly port: number;
  readonly requestId: string;
  /** Path prefix that was cut off. */
  readonly prefix?: string | undefined;
  /** Whether the peer is a proxy whose headers count. */
  readonly isTrusted: boolean;
}

/** What the application behind a driver receives: what a visitor says of itself is replaced by what the relay saw. */
export function forwardedHeaders(req: IncomingMessage, facts: VisitorFacts): string[] {
  const { rawHeaders } = req;
  const { address, isSecure, port, requestId, prefix, isTrusted } = facts;
  const kept = hideGateCookies(
    filterHeaders(rawHeaders, (name) => hopByHop.has(name) || isForwarding(dashed(name))),
    req.headers.cookie,
  );
  const before = isTrusted ? req.headers["x-forwarded-for"] : undefined;
  kept.push("X-Forwarded-For", before === undefined ? address : `${String(before)}, ${address}`);
  kept.push("X-Forwarded-Host", req.headers.host ?? "");
  kept.push("X-Forwarded-Proto", isSecure ? "https" : "http");
  kept.push("X-Forwarded-Port", String(port));
  if (prefix !== undefined) kept.push("X-Forwarded-Prefix", prefix);
  kept.push("X-Request-Id", requestId);
  return kept;
}
