import type { IncomingHttpHeaders } from "node:http";
import type { CorsOrigin, NodeExposureHttpCorsConfig } from "./config/config";

/** The CORS headers of replies. */
export interface Cors {
  /** Flat names and values for a reply, `vary` excepted. */
  headersFor(origin: string | undefined): readonly string[];
  /** Flat names and values for a preflight reply, `vary` excepted. */
  preflightFor(headers: IncomingHttpHeaders): readonly string[];
  /** Whether replies differ by origin and say so. */
  readonly varies: boolean;
  /** Whether the config names this very origin; `"*"` names none. */
  admits(origin: string): boolean;
  /** Credentials without an origin: no browser gets anywhere, which is worth a warning. */
  readonly isUnusable: boolean;
}

/** Other origins are not admitted, and get no headers. */
export const noCors: Cors = {
  headersFor: () => [],
  preflightFor: () => [],
  varies: false,
  admits: () => false,
  isUnusable: false,
};

type ResolveOrigin = (origin: string | undefined) => string | undefined;

/** Compiles the policy once; where a reply's headers do not depend on the request they are one array. */
export function createCors(config: NodeExposureHttpCorsConfig = {}): Cors {
  const { origin, credentials = false, varyOrigin = true } = config;
  const resolve = originResolver(origin, credentials);
  const isFixed = (origin === undefined && !credentials) || typeof origin === "string";
  const exposed = config.exposedHeaders?.join(", ");
  const shared = [
    ...(credentials ? ["access-control-allow-credentials", "true"] : []),
    ...(exposed ? ["access-control-expose-headers", exposed] : []),
  ];
  const allowing = (allowed: string | undefined, rest: readonly string[]): readonly string[] =>
    allowed === undefined ? rest : ["access-control-allow-origin", allowed, ...rest];
  const fixed = isFixed ? allowing(resolve(undefined), shared) : undefined;

  const methods = listOr(config.methods, ["POST", "OPTIONS"]);
  const { maxAge } = config;
  return {
    headersFor: (requested) => fixed ?? allowing(resolve(requested), shared),
    preflightFor(headers) {
      const allowedHeaders = listOr(config.allowedHeaders, [headers["access-control-request-headers"] ?? ""]);
      return allowing(resolve(headers.origin), [
        "access-control-allow-methods",
        methods,
        ...(allowedHeaders ? ["access-control-allow-headers", allowedHeaders] : []),
        ...(credentials ? ["access-control-allow-credentials", "true"] : []),
        ...(maxAge === undefined ? [] : ["access-control-max-age", String(maxAge)]),
      ]);
    },
    varies: varyOrigin && !isFixed,
    admits: (requested) => origin !== undefined && resolve(requested) === requested,
    isUnusable: credentials && origin === undefined,
  };
}

const listOr = (list: readonly string[] | undefined, fallback: readonly string[]): string =>
  (list === undefined || list.length === 0 ? fallback : list).join(", ");

function originResolver(origin: CorsOrigin | undefined, credentials: boolean): ResolveOrigin {
  // With credentials, a star or an echo would let any site read replies with the user's cookies.
  if (origin === undefined) return () => (credentials ? undefined : "*");
  if (typeof origin === "string") return () => origin;
  if (typeof origin === "function") return (requested) => origin(requested) || undefined;
  const patterns: readonly (string | RegExp)[] = origin instanceof RegExp ? [origin] : origin;
  const matches = patterns.map(matcher);
  return (requested) =>
    requested !== undefined && matches.some((matchesOrigin) => matchesOrigin(requested)) ? requested : undefined;
}

function matcher(pattern: string | RegExp): (origin: string) => boolean {
  if (typeof pattern === "string") return (origin) => origin === pattern;
  // Flags that remember the last match would make every other request fail.
  const stateless = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
  return (origin) => stateless.test(origin);
}
