import type { IncomingMessage } from "node:http";
import { valuesOf } from "../server/repeatedHeaders";

/** Where a request says it wants to go. */
export interface Authority {
  /** In lower case, without port and without a dot at its end. */
  readonly host: string;
  /** In origin form. */
  readonly target: string;
}

/**
 * Reads host and target of a request.
 *
 * @returns `undefined` where they contradict each other: not exactly one `Host`, a target of another authority, or
 * characters that are no part of a host name
 */
export function readAuthority(req: IncomingMessage): Authority | undefined {
  const { host: stated } = req.headers;
  if (stated === undefined || valuesOf(req, "host").length !== 1) return undefined;
  const host = hostOf(stated);
  if (host === undefined) return undefined;
  const url = req.url ?? "/";
  if (url.startsWith("/") || url === "*") return { host, target: url };
  // RFC 9112 section 3.2.2: the absolute form, as proxies send it.
  const [, authority = "", rest = ""] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  if (hostOf(authority) !== host) return undefined;
  return { host, target: rest.startsWith("/") ? rest : `/${rest}` };
}

/** @returns the host of an authority, as `Authority` has it; `undefined` where it has none */
export function hostOf(authority: string): string | undefined {
  const name = authority
    .toLowerCase()
    .replace(/:\d{1,5}$/, "")
    .replace(/\.$/, "");
  return /^(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)$/.test(name) ? name : undefined;
}

/**
 * Whether a request names the relay itself.
 *
 * A page can have a name of its own lead to this machine, but no address; from elsewhere it reaches the relay anyway.
 */
export function namesRelay(req: IncomingMessage, isOwnHost: (host: string) => boolean): boolean {
  const { host } = readAuthority(req) ?? {};
  if (host === undefined) return false;
  return isLoopbackHost(host) || isAddress(host) || isOwnHost(host) || !isLoopbackAddress(req.socket.localAddress);
}

const isAddress = (host: string): boolean => host.startsWith("[") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);

/** Whether a socket's address is of this machine alone. */
export const isLoopbackAddress = (address: string | undefined): boolean =>
  /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/.test(address ?? "");

/** Names under which a program of this machine reaches a listener on loopback. */
export const isLoopbackHost = (host: string): boolean =>
  host === "localhost" || host === "[::1]" || host.endsWith(".localhost") || /^127(\.\d{1,3}){3}$/.test(host);
