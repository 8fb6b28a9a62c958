import type { IncomingMessage, ServerResponse } from "node:http";
import { ResetCode } from "../../relay/codes";
import { endAnswer } from "./endAnswer";
import { prefersJson } from "./prefersJson";

/** What a visitor is told when the relay itself answers. */
export interface VisitorError {
  readonly status: number;
  readonly code: VisitorErrorCode;
  readonly message: string;
  readonly retryAfterSeconds?: number | undefined;
  /** Sent besides the usual ones. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Takes the place of the short page. */
  readonly html?: string | undefined;
}

export type VisitorErrorCode =
  | "TUNNEL_NOT_FOUND"
  | "HOST_NOT_ALLOWED"
  | "BAD_REQUEST"
  | "HEADERS_TOO_LARGE"
  | "GATE_DENIED"
  | "GATE_AUTH"
  | "GATE_FAILED"
  | "BLOCKED"
  | "RATE_LIMITED"
  | "REQUEST_TIMEOUT"
  | "LOCAL_CONNECT_FAILED"
  | "LOCAL_CONNECT_TIMEOUT"
  | "TUNNEL_INTERRUPTED"
  | "TUNNEL_ORPHANED"
  | "STREAM_LIMIT"
  | "UPSTREAM_TIMEOUT"
  | "HOOK_FAILED";

const error = (status: number, code: VisitorErrorCode, message: string, retryAfterSeconds?: number): VisitorError => ({
  status,
  code,
  message,
  retryAfterSeconds,
});

export const visitorErrors = /* @__PURE__ */ (() => ({
  notFound: error(404, "TUNNEL_NOT_FOUND", "No tunnel is published here."),
  hostNotAllowed: error(421, "HOST_NOT_ALLOWED", "This host name does not lead here."),
  badRequest: error(400, "BAD_REQUEST", "The request contradicts itself."),
  headTooLarge: error(431, "HEADERS_TOO_LARGE", "The head of the request is too large for the tunnel."),
  localConnectFailed: error(502, "LOCAL_CONNECT_FAILED", "The application behind the tunnel is not reachable."),
  localConnectTimeout: error(502, "LOCAL_CONNECT_TIMEOUT", "The application behind the tunnel does not answer."),
  interrupted: error(
    502,
    "TUNNEL_INTERRUPTED",
    "The tunnel was interrupted; whether the request was handled is unknown.",
  ),
  orphaned: error(503, "TUNNEL_ORPHANED", "The tunnel is reconnecting.", 5),
  streamLimit: error(503, "STREAM_LIMIT", "The tunnel serves as many visitors as it can.", 1),
  gateAuth: error(401, "GATE_AUTH", "Credentials are needed here."),
  gateDenied: error(403, "GATE_DENIED", "You may not come in here."),
  gateFailed: error(500, "GATE_FAILED", "It could not be decided whether you may come in."),
  hookFailed: error(500, "HOOK_FAILED", "The request could not be handled."),
  blocked: error(403, "BLOCKED", "The request is not let through."),
  rateLimited: error(429, "RATE_LIMITED", "There were too many requests."),
  requestTimeout: error(408, "REQUEST_TIMEOUT", "The request took too long to arrive."),
  upstreamTimeout: error(504, "UPSTREAM_TIMEOUT", "The application behind the tunnel took too long."),
}))();

const failures: Readonly<Record<number, VisitorError>> = /* @__PURE__ */ (() => ({
  [ResetCode.REFUSED]: visitorErrors.streamLimit,
  [ResetCode.STREAM_LIMIT]: visitorErrors.streamLimit,
  [ResetCode.LOCAL_CONNECT_FAILED]: visitorErrors.localConnectFailed,
  [ResetCode.TIMEOUT]: visitorErrors.localConnectTimeout,
}))();

/** What a visitor is told when the stream is reset with `code` before a response. */
export const failureOfReset = (code: number): VisitorError => failures[code] ?? visitorErrors.interrupted;

/** Answers a visitor: JSON where it prefers that, else a short page. @returns the size of the body, in bytes */
export function sendVisitorError(req: IncomingMessage, res: ServerResponse, failure: VisitorError): number {
  const { type, body } = render(req, failure);
  endAnswer(req, res, () => {
    res.writeHead(failure.status, {
      "content-type": type,
      "content-length": Buffer.byteLength(body),
      "cache-control": "no-store",
      "x-hoody-tunnel-error": failure.code,
      ...failure.headers,
      ...(failure.retryAfterSeconds !== undefined && { "retry-after": String(failure.retryAfterSeconds) }),
    });
    return req.method === "HEAD" ? undefined : body;
  });
  return req.method === "HEAD" ? 0 : Buffer.byteLength(body);
}

/** As `sendVisitorError`, on the bare connection of an upgrade request. */
export function upgradeRefusal(req: IncomingMessage, failure: VisitorError): string {
  const { type, body } = render(req, failure);
  const { status, code, retryAfterSeconds, headers = {} } = failure;
  return [
    `HTTP/1.1 ${status} Refused`,
    "Connection: close",
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `x-hoody-tunnel-error: ${code}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(retryAfterSeconds === undefined ? [] : [`Retry-After: ${retryAfterSeconds}`]),
    "",
    body,
  ].join("\r\n");
}

function render(req: IncomingMessage, { status, code, message, html }: VisitorError): { type: string; body: string } {
  if (prefersJson(req)) {
    return { type: "application/json", body: JSON.stringify({ error: { code, message } }) };
  }
  const body = `<!doctype html><meta charset="utf-8"><title>${status} ${code}</title><h1>${status}</h1><p>${message}</p>`;
  return { type: "text/html; charset=utf-8", body: html ?? body };
}
