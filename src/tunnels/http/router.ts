import { parseTarget } from "../protocol/paths";
import type { WireTarget } from "../protocol/wire";

/** Below the base path, but addressing nothing. */
export const unknownTarget = "unknownTarget";

/** Says what a request target addresses; `undefined` when it is outside the base path. */
export type Router = (requestTarget: string) => WireTarget | typeof unknownTarget | undefined;

/** @param basePath as resolved: canonical, and "/" or without a slash at the end */
export function createRouter(basePath: string): Router {
  const prefix = basePath === "/" ? "" : basePath;
  const hasOtherSpellings = !/^[\w.~/-]*$/.test(prefix);
  return (requestTarget) => {
    const requested = pathOf(requestTarget);
    const path = hasOtherSpellings ? withCanonicalStart(requested, prefix) : requested;
    if (!path.startsWith(prefix)) return undefined;
    const rest = path.slice(prefix.length);
    // A path that merely begins with the same characters belongs to another handler.
    if (rest !== "" && rest.charCodeAt(0) !== slash) return undefined;
    return parseTarget(rest) ?? unknownTarget;
  };
}

const slash = 47;

/**
 * One spelling of all those that mean the same path: "/ü", "/%c3%bc" and "/%C3%BC" are one.
 *
 * @returns `undefined` for percent-encoding that cannot be decoded
 */
export function canonicalPath(path: string): string | undefined {
  try {
    return path
      .split("/")
      .map((segment) => encodeURIComponent(decodeURIComponent(segment)))
      .join("/");
  } catch {
    return undefined;
  }
}

/** A path with as many segments in canonical spelling as the prefix has; the id behind them is left as it is. */
function withCanonicalStart(path: string, prefix: string): string {
  const segments = path.split("/");
  const count = prefix.split("/").length;
  const start = canonicalPath(segments.slice(0, count).join("/"));
  return start === undefined ? path : [start, ...segments.slice(count)].join("/");
}

/** The path of a request target: without query, and of the absolute form (RFC 9112 §3.2.2) without scheme and host. */
export function pathOf(requestTarget: string): string {
  const origin = originForm(requestTarget);
  const end = origin.search(/[?#]/);
  return end === -1 ? origin : origin.slice(0, end);
}

/** A request target in the form `/path?query`. */
export function originForm(requestTarget: string): string {
  if (requestTarget.charCodeAt(0) === slash) return requestTarget;
  const authority = requestTarget.indexOf("://");
  if (authority === -1) return requestTarget;
  const start = requestTarget.slice(authority + 3).search(/[/?#]/);
  return start === -1 ? "/" : requestTarget.slice(authority + 3 + start);
}
