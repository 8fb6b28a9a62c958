import { isRunnerError } from "../../errors/defineError";
import { isError } from "../../errors/normaliseThrown";
import { TunnelError } from "../../errors/tunnelError";
import { refusalOf, saysBegun } from "./refusal";
import type { WireResponse } from "./wire";

/**
 * How far a failed call to another process came: `no`, it was never taken; `unknown`, it may have been taken, and no reply
 * came; `answered`, its failure is the reply, or it was refused before it was sent.
 */
export type Delivery = "no" | "unknown" | "answered";

/** Tells from an error how far its call came. What is no error of a call counts as the reply. */
export function deliveryOf(error: unknown): Delivery {
  if (!isError(error) || isRunnerError(error)) return "answered";
  // One that stands for what a carrier failed with was caused by that; what came as a reply has no cause.
  const byCode =
    error instanceof TunnelError ? deliveryOfCode({ ...judged(error), hasBegun: saysBegun(error.data) }) : undefined;
  if (byCode !== undefined && (byCode !== "answered" || error.cause === undefined)) return byCode;
  const causes = causesOf(error);
  if (causes.some(isFailedConnect)) return "no";
  return causes.some(isLostReply) ? "unknown" : "answered";
}

/**
 * A server that takes nothing more says so before it looks at the call, and a broker before it has one to hand it to; a
 * declared error has an id.
 */
function deliveryOfCode({ code, id, httpCode, hasBegun }: Judged): Delivery {
  if (id === undefined && refusals.has(code)) return hasBegun === true ? "unknown" : "no";
  // A proxy that could not reach the server, or not until it answered.
  if (code === "HTTP_ERROR") return httpCode !== undefined && gatewayStatuses.has(httpCode) ? "unknown" : "answered";
  return lostCalls.has(code) ? "unknown" : "answered";
}

interface Judged {
  readonly code: string;
  readonly id?: string | undefined;
  readonly httpCode?: number | undefined;
  /** It was given up by the server after its task had begun. */
  readonly hasBegun?: boolean | undefined;
}

const judged = ({ code, id, httpCode }: TunnelError): Judged => ({ code, id, httpCode });

const refusals: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "OVERLOADED",
  "SERVER_CLOSING",
  "AUTH_UNAVAILABLE",
  "NO_RESPONDER",
  "BROKER_OFFLINE",
]);
const lostCalls: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "REQUEST_TIMEOUT",
  "REQUEST_ABORTED",
  "STREAM_LOST",
  "BATCH_LOST",
  "WORKER_LOST",
  "BROKER_LOST",
]);
const gatewayStatuses: ReadonlySet<number> = /* @__PURE__ */ new Set([502, 503, 504]);

/** How far a call came, by its reply, and the code of the refusal where it is one. */
export function deliveryOfReply(response: WireResponse): {
  readonly delivery: Delivery;
  readonly code?: string | undefined;
} {
  const { status, body } = response;
  if (status < 400 || body.kind !== "text") return { delivery: "answered" };
  const { code = "HTTP_ERROR", id, hasBegun } = refusalOf(response) ?? {};
  return { delivery: deliveryOfCode({ code, id, httpCode: status, hasBegun }), code };
}

/** An error and what it was caused by, of which fetch tells nothing itself. */
function causesOf(error: Error): readonly Failure[] {
  const causes: Failure[] = [];
  for (let next: unknown = error; isError(next) && causes.length < maxCauses; next = next.cause) causes.push(next);
  return causes;
}

const maxCauses = 5;

interface Failure extends Error {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly errors?: unknown;
}

/** The connection did not come about: refused, not found, or not in time. An address may have several. */
function isFailedConnect({ code, syscall, errors }: Failure): boolean {
  if (Array.isArray(errors)) return errors.length > 0 && errors.every((each) => isError(each) && isFailedConnect(each));
  return syscall === "connect" || syscall === "getaddrinfo" || (typeof code === "string" && connectCodes.has(code));
}

const connectCodes: ReadonlySet<string> = /* @__PURE__ */ new Set(["ECONNREFUSED", "UND_ERR_CONNECT_TIMEOUT"]);

/** The connection broke, or the reply did not come in time. */
function isLostReply({ name, code, message }: Failure): boolean {
  if (name === "AbortError" || name === "TimeoutError") return true;
  if (typeof code === "string") return lostCodes.has(code);
  // Browsers say no more than this, each in its own words.
  return name === "TypeError" && /^(fetch failed|Failed to fetch|Load failed|NetworkError)/.test(message);
}

const lostCodes: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENETDOWN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "UND_ERR_SOCKET",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);
