import type { IncomingMessage } from "node:http";
import type { MaybePromise } from "../../lib/typeLevel";
import { isRepeated } from "./repeatedHeaders";

/**
 * Whether a request comes from a program of this machine, rather than from a web page in its browser, through a proxy
 * on it, or through a tunnel to it. All of these reach us over loopback.
 *
 * A proxy that rewrites `Host` and adds no header cannot be told from a program.
 *
 * @param admitsOrigin whether an origin was named explicitly as one that may call
 */
export function isLocalCaller(
  req: IncomingMessage,
  admitsOrigin: (origin: string) => MaybePromise<boolean>,
): MaybePromise<boolean> {
  const { socket, headers, httpVersionMajor, httpVersionMinor } = req;
  // Functions of a serverless platform have no socket.
  if (!isLoopback(socket?.localAddress) || !isLoopback(socket.remoteAddress)) return false;
  // HTTP/1.0 is what old proxies speak to their servers.
  if (!(httpVersionMajor > 1 || (httpVersionMajor === 1 && httpVersionMinor >= 1))) return false;
  if (isRepeated(req, "host") || !isLocalHost(headers.host) || !isLocalTarget(req.url ?? "/")) return false;
  const names = Object.keys(headers);
  if (names.some((name) => proxyHeaders.has(name) || name.startsWith("x-forwarded"))) return false;
  return headers.origin === undefined
    ? !names.some((name) => name.startsWith("sec-fetch-") && name !== ownFetchHeader)
    : admitsOrigin(headers.origin);
}

/** What proxies add, besides all that begins with `X-Forwarded`. */
const proxyHeaders: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "forwarded",
  "via",
  "x-real-ip",
  "x-client-ip",
  "true-client-ip",
  "cf-connecting-ip",
]);

/** The `fetch` of Node sends this one alone; browsers send `Sec-Fetch-Site` with it. */
const ownFetchHeader = "sec-fetch-mode";

const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && (address === "::1" || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(address));

/** A page of another site can have its own name point here, but not one of these. */
function isLocalHost(host: string | undefined): boolean {
  const [, name = "", port = "0"] = /^([a-z0-9.-]+|\[::1\])(?::(\d{1,5}))?$/i.exec(host ?? "") ?? [];
  if (Number(port) > 65_535) return false;
  return /^(?:localhost|(?:[a-z0-9-]+\.)+localhost|\[::1\])$/i.test(name) || isLoopbackAddress(name);
}

/** A target of the absolute form takes the place of `Host`. */
function isLocalTarget(target: string): boolean {
  const [, authority] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target) ?? [];
  return authority === undefined || isLocalHost(authority);
}

const isLoopbackAddress = (name: string): boolean =>
  /^127(\.\d{1,3}){3}$/.test(name) && name.split(".").every((part) => Number(part) <= 255);
