import { createRouter, unknownTarget } from "../../../tunnels/http/router";
import { invalid } from "../../../tunnels/http/config/configFields";

/** The paths under which an exposure says how it is. */
export interface ProbePaths {
  readonly health: string | undefined;
  readonly ready: string | undefined;
}

/** @throws {TypeError} a path makes no sense, or is taken; the message names the field */
export function resolveProbes(stated: { readonly [K in keyof ProbePaths]?: unknown }, basePath: string): ProbePaths {
  const [health, ready] = [resolvePath(stated.health, "health"), resolvePath(stated.ready, "ready")];
  if (health !== undefined && health === ready) {
    throw new TypeError("http.health and http.ready answer different questions: give them different paths.");
  }
  const route = createRouter(basePath);
  for (const [field, path] of Object.entries({ health, ready })) {
    if (path === undefined) continue;
    const target = route(path);
    if (target === undefined || target === unknownTarget) continue;
    throw new TypeError(`http.${field} must not be "${path}", where calls arrive.`);
  }
  return Object.freeze({ health, ready });
}

/** Only characters of which each has one spelling in a URL. */
function resolvePath(path: unknown, field: string): string | undefined {
  if (path === undefined) return undefined;
  if (typeof path === "string" && /^(\/[\w~-][\w.~-]*)+$/.test(path)) return path;
  throw invalid(`http.${field}`, 'a path such as "/healthz", of letters, digits and "-._~"', path);
}
