import type { Failures } from "./subscriptionParts";

/** Why a try to connect failed, and whether another one may do better. */
export type Refusal =
  | { readonly isFinal: true; readonly error: unknown; readonly mayBeOneOfSeveral: boolean }
  | { readonly isFinal: false; readonly askedMs?: number | undefined };

/** Of the replies that say no: those after which the same request may be served later. */
const retriedStatuses: ReadonlySet<number> = /* @__PURE__ */ new Set([408, 425, 429]);
/** Refusals that no later try is spared, although their status is that of a failing server. */
const finalCodes: ReadonlySet<unknown> = /* @__PURE__ */ new Set(["AUTH_NOT_CONFIGURED"]);
/** Which say that a part of what was asked for is refused: another part of it may be served. */
const partialStatuses: ReadonlySet<number> = /* @__PURE__ */ new Set([400, 403, 413]);

/** Judges a reply that is no subscription. */
export function judgeReply(status: number, error: unknown, askedMs: number | undefined): Refusal {
  const isRetried = status >= 500 || retriedStatuses.has(status);
  if (isRetried && !finalCodes.has((error as { code?: unknown } | undefined)?.code)) return { isFinal: false, askedMs };
  return { isFinal: true, error, mayBeOneOfSeveral: partialStatuses.has(status) };
}

/** Judges what a request failed with before there was a reply: what is no failure of the network is the caller's own. */
export function judgeFailure(error: unknown): Refusal {
  let cause = error;
  for (let depth = 0; depth < maxCauses && typeof cause === "object" && cause !== null; depth += 1) {
    const failure: Failure = cause;
    if (/replied with a redirect/.test(String(failure.message))) break;
    if (isOfNetwork(failure)) return { isFinal: false };
    cause = failure.cause;
  }
  return { isFinal: true, error, mayBeOneOfSeveral: false };
}

/** Judges the line that ends a subscription: a server that closes is asked again, since there may be another one. */
export function judgeEnd(
  { ok, error }: Readonly<Record<string, unknown>>,
  { failureOf }: Pick<Failures, "failureOf">,
): Refusal {
  if (ok === true) return { isFinal: true, error: undefined, mayBeOneOfSeveral: false };
  const failure = failureOf(error);
  const { code } = failure as { code?: unknown };
  if (code === "SERVER_CLOSING" || code === "OVERLOADED") return { isFinal: false };
  return { isFinal: true, error: failure, mayBeOneOfSeveral: false };
}

const maxCauses = 5;

interface Failure {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
}

function isOfNetwork({ name, code, message }: Failure): boolean {
  if (name === "AbortError" || name === "TimeoutError") return true;
  // Those of Node and of undici; the others say that a reply did not come.
  if (typeof code === "string" && /^(E[A-Z]+|UND_ERR_.*|REQUEST_TIMEOUT|STREAM_LOST)$/.test(code)) return true;
  // Browsers say no more than this, each in its own words.
  return name === "TypeError" && /^(fetch failed|Failed to fetch|Load failed|NetworkError)/i.test(String(message));
}
