import { settlesWithin } from "../../lib/timers";
import type { MaybePromise } from "../../lib/typeLevel";

/** Which origins may read replies; see `CorsConfig.origin`. */
export type CorsOrigin = string | readonly (string | RegExp)[] | RegExp | CorsOriginFunction;

/** May be asynchronous. Where it throws or rejects, the request gets a 500. */
export type CorsOriginFunction = (origin: string | undefined) => MaybePromise<string | null | undefined>;

/** What browsers on other origins may do. */
export interface CorsConfig {
  /**
   * A string is sent as it is; an array or a `RegExp` admits the origins it matches; a function says which one to send.
   * Default: `"*"`, or none at all with `credentials`.
   */
  readonly origin?: CorsOrigin | undefined;
  /** Named in preflight replies. Default `["POST", "OPTIONS"]`. */
  readonly methods?: readonly string[] | undefined;
  /** Named in preflight replies. Default: whatever the browser asks for. */
  readonly allowedHeaders?: readonly string[] | undefined;
  /** Reply headers that scripts may read. Default: none beside the standard's. */
  readonly exposedHeaders?: readonly string[] | undefined;
  /** Let browsers send cookies. Needs `origin`. Default false. */
  readonly credentials?: boolean | undefined;
  /** How long a browser may remember a preflight reply, in seconds. */
  readonly maxAge?: number | undefined;
  /** Say that replies differ by origin, where they do. Default true. */
  readonly varyOrigin?: boolean | undefined;
}

/** What a preflight request asks for; names in lower case. */
export interface PreflightHeaders {
  readonly origin?: string | undefined;
  readonly "access-control-request-headers"?: string | undefined;
}

/** The CORS headers of replies. */
export interface Cors {
  /** Flat names and values for a reply, `vary` excepted. */
  headersFor(origin: string | undefined): readonly string[];
  /** Flat names and values for a preflight reply, `vary` excepted. */
  preflightFor(headers: PreflightHeaders): readonly string[];
  /**
   * The policy for one request, where the config has a function that decides; it is called once a request.
   *
   * @throws what the function threw or rejected with, or a `TypeError` for what is no origin
   */
  readonly decide?: ((origin: string | undefined) => Promise<Cors>) | undefined;
  /** Whether replies differ by origin and say so. */
  readonly varies: boolean;
  /** Whether the config names this very origin; `"*"` names none. */
  admits(origin: string): MaybePromise<boolean>;
  /** Credentials without an origin: no browser gets anywhere, which is worth a warning. */
  readonly isUnusable: boolean;
}

/** Other origins are not admitted, and get no headers. */
export const corsDisabled: Cors = {
  headersFor: () => [],
  preflightFor: () => [],
  varies: false,
  admits: () => false,
  isUnusable: false,
};

/** What the function of a config decided for one request. */
async function decideBy(origin: CorsOriginFunction, requested: string | undefined): Promise<string | undefined> {
  const decided: unknown = await origin(requested);
  if (!decided) return undefined;
  if (typeof decided === "string") return decided;
  throw new TypeError(`http.cors.origin must return an origin, null or undefined, got ${typeof decided}.`);
}

/** The function of a config holds a request up no longer than authentication may. @throws {Error} it does */
export async function decideInTime(deciding: Promise<Cors>, timeoutMs: number): Promise<Cors> {
  if (await settlesWithin(deciding, timeoutMs)) return deciding;
  throw new Error(`http.cors.origin took longer than ${timeoutMs} ms.`);
}

type ResolveOrigin = (origin: string | undefined) => string | undefined;

/** Compiles the policy once; where a reply's headers do not depend on the request they are one array. */
export function createCors(config: CorsConfig = {}): Cors {
  const { origin } = config;
  if (typeof origin !== "function") return createCorsWith(config, originResolver(origin, config.credentials ?? false));
  return {
    ...createCorsWith(config, () => undefined),
    async decide(requested) {
      const decided = await decideBy(origin, requested);
      return createCorsWith(config, () => decided);
    },
    admits: async (requested) => (await decideBy(origin, requested)) === requested,
  };
}

function createCorsWith(config: CorsConfig, resolve: ResolveOrigin): Cors {
  const { origin, credentials = false, varyOrigin = true } = config;
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
    isUnusable: credentials && (origin === undefined || origin === "*"),
  };
}

const listOr = (list: readonly string[] | undefined, fallback: readonly string[]): string =>
  (list === undefined || list.length === 0 ? fallback : list).join(", ");

function originResolver(
  origin: Exclude<CorsOrigin, CorsOriginFunction> | undefined,
  credentials: boolean,
): ResolveOrigin {
  // With credentials, a star or an echo would let any site read replies with the user's cookies.
  if (origin === undefined) return () => (credentials ? undefined : "*");
  if (typeof origin === "string") return () => origin;
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
