import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import { ResetCode } from "../../relay/codes";
import { decodeResponseHead, malformed, type RequestHead, type ResponseHead } from "../../relay/framePayloads";
import { flagEnd, flagInfo } from "../../relay/frames";
import type { MuxSession } from "../../relay/muxSession";
import type { MuxStream } from "../../relay/muxStream";
import { discardRest } from "../server/discardRest";
import { receiveInto, sendFrom } from "./byteFlow";
import { endToEndHeaders } from "./headers";
import { failureOfReset, sendVisitorError, visitorErrors } from "./visitorError";

/** One HTTP request of a visitor, ready to be sent through a session. */
export interface VisitorRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly session: MuxSession;
  readonly bindId: number;
  /** In origin form, without a prefix that was cut off. */
  readonly target: string;
  readonly headers: readonly string[];
  readonly peer: string;
  readonly requestId: string;
  /** How long a driver may take until its response begins, in ms. */
  readonly responseTimeoutMs: number;
}

/** Carries one exchange: heads as records, bodies as bytes, each direction at the pace of who reads. */
export function exchange(visitor: VisitorRequest): MuxStream | undefined {
  const { req, res, session, responseTimeoutMs } = visitor;
  const isBodiless = !("transfer-encoding" in req.headers) && (req.headers["content-length"] ?? "0") === "0";
  const stream = session.openHttp(requestHeadOf(visitor), isBodiless ? flagEnd : 0);
  if (stream === undefined || stream === "tooLarge") {
    sendVisitorError(req, res, stream === undefined ? visitorErrors.streamLimit : visitorErrors.headTooLarge);
    return undefined;
  }

  const timer = setTimeout(() => {
    stream.reset(ResetCode.TIMEOUT);
    sendVisitorError(req, res, visitorErrors.upstreamTimeout);
  }, responseTimeoutMs);
  const cut = (): void => {
    stream.reset(ResetCode.BODY_LENGTH, "The response has another length than its head says.");
    res.destroy();
  };
  const receive = receiveInto(res, stream);
  /** Bytes of the body that are still to come; `undefined` where the head does not say. */
  let leftBytes: number | undefined;
  stream.handler = {
    onDrain: isBodiless ? () => {} : sendFrom(req, stream, () => req.rawTrailers),
    onData(bytes) {
      if (leftBytes !== undefined && (leftBytes -= bytes.length) < 0) cut();
      else receive(bytes);
    },
    onHead(payload, flags) {
      const head = decodeResponseHead(payload, flags);
      if (flags & flagInfo) return writeInterim(res, head);
      clearTimeout(timer);
      leftBytes = bodyBytesOf(req, head);
      writeHead(res, head);
    },
    onTrailers: (trailers) => res.addTrailers(pairsOf(trailers)),
    onEnd: () => void (leftBytes ? cut() : res.end()),
    onReset({ code }) {
      clearTimeout(timer);
      // The response is whole: only what the visitor still sends has no destination any more.
      if (res.writableEnded) void discardRest(req);
      // A response that was cut must never look whole.
      else if (res.headersSent) res.destroy();
      else sendVisitorError(req, res, failureOfReset(code));
    },
  };
  res.once("close", () => {
    clearTimeout(timer);
    // It also closes after success.
    if (!res.writableFinished) stream.reset(ResetCode.CANCEL, "The visitor left.");
  });
  return stream;
}

/** RFC 9112 section 6.3: what a visitor takes for the body of a response whose head states a length. */
function bodyBytesOf({ method }: IncomingMessage, { status, headers }: ResponseHead): number | undefined {
  if (method === "HEAD" || status === 204 || status === 304) return undefined;
  const index = headers.findIndex((name, at) => at % 2 === 0 && /^content-length$/i.test(name));
  return index === -1 ? undefined : Number(headers[index + 1]);
}

function requestHeadOf({ req, bindId, target, headers, peer, requestId }: VisitorRequest): RequestHead {
  const declared = req.headers["content-length"];
  return {
    method: req.method ?? "GET",
    target,
    headers,
    bindId,
    peer,
    requestId,
    contentLength: declared === undefined ? undefined : Number(declared),
  };
}

function writeInterim(res: ServerResponse, { status, headers }: ResponseHead): void {
  if (res.headersSent) return;
  if (status === 100) res.writeContinue();
  else if (status === 102) res.writeProcessing();
  else if (status === 103) writeHints(res, headers);
}

/** Node takes hints only where their links are called `link`, each by itself. Others are left out: they are hints. */
function writeHints(res: ServerResponse, headers: readonly string[]): void {
  const hints: Record<string, string | string[]> = {};
  for (const [name, value] of pairsOf(endToEndHeaders(headers))) {
    const key = name.toLowerCase();
    const values = key === "link" ? value.split(/,\s*(?=<)/) : [value];
    hints[key] = [hints[key] ?? [], values].flat();
  }
  try {
    res.writeEarlyHints(hints);
  } catch {
    // A link in a form that Node does not know.
  }
}

function writeHead(res: ServerResponse, { status, reason, headers }: ResponseHead): void {
  // A switch of protocols that the visitor did not ask for would hand it a connection it does not expect.
  if (status === 101) throw malformed("HEAD");
  res.writeHead(status, reason || (STATUS_CODES[status] ?? ""), endToEndHeaders(headers));
  // Heads leave before their first byte: a stream of events may stay silent for long.
  res.flushHeaders();
}

function pairsOf(flat: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < flat.length; index += 2) pairs.push([flat[index] as string, flat[index + 1] as string]);
  return pairs;
}
