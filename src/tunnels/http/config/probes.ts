import { createRouter, unknownTarget } from "../router";
import { invalid } from "../../../lib/configFields";

/** The paths under which an exposure says how, and what, it is. */
export interface ProbePaths {
  readonly health: string | undefined;
  readonly ready: string | undefined;
  readonly metrics: string | undefined;
  readonly openapi: string | undefined;
}

/** @throws {TypeError} a path makes no sense, or is taken; the message names the field */
export function resolveProbes(stated: { readonly [K in keyof ProbePaths]?: unknown }, basePath: string): ProbePaths {
  const paths = {
    health: resolvePath(stated.health, "health", "/healthz"),
    ready: resolvePath(stated.ready, "ready", "/readyz"),
    metrics: resolvePath(stated.metrics, "metrics", "/metrics"),
    openapi: resolvePath(stated.openapi, "openapi", "/openapi.json"),
  };
  const route = createRouter(basePath);
  const taken = new Map<string, string>();
  for (const [field, path] of Object.entries(paths)) {
    if (path === undefined) continue;
    const other = taken.get(path);
    if (other !== undefined) {
      throw new TypeError(`http.${other} and http.${field} answer different questions: give them different paths.`);
    }
    taken.set(path, field);
    const target = route(path);
    if (target === undefined || target === unknownTarget) continue;
    throw new TypeError(`http.${field} must not be "${path}", where calls arrive.`);
  }
  return Object.freeze(paths);
}

/** Only characters of which each has one spelling in a URL. */
function resolvePath(path: unknown, field: string, example: string): string | undefined {
  if (path === undefined) return undefined;
  if (typeof path === "string" && /^(\/[\w~-][\w.~-]*)+$/.test(path)) return path;
  throw invalid(`http.${field}`, `a path such as "${example}", of letters, digits and "-._~"`, path);
}
