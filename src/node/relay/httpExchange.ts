import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { ResetCode } from "../../relay/codes";
import {
  decodeResponseHead,
  isContentLength,
  malformed,
  type RequestHead,
  type ResponseHead,
} from "../../relay/framePayloads";
import { flagEnd, flagInfo } from "../../relay/frames";
import type { MuxSession } from "../../relay/muxSession";
import type { MuxStream } from "../../relay/muxStream";
import { discardRest } from "../server/discardRest";
import { receiveInto, sendFrom } from "./byteFlow";
import { hasBody } from "./endAnswer";
import { endToEndHeaders, pairsOf } from "./headers";
import { holdResponse } from "./heldResponse";
import type { RequestRecord } from "./log/requestRecord";
import type { ResponseStage } from "./pipeline";
import { failureOfReset, visitorErrors, type VisitorError } from "./visitorError";

/** What is sent through a session for a visitor. */
export interface ExchangeRequest {
  readonly session: MuxSession;
  readonly bindId: number;
  /** In origin form, without a prefix that was cut off. */
  readonly target: string;
  readonly headers: readonly string[];
  /** Takes the place of the visitor's own body. */
  readonly body: Readable | undefined;
  /** Whether the body's length may be another than the visitor says. */
  readonly isBodyChanged: boolean;
  /** Changes the response; `undefined` where it is passed on as it is. */
  readonly onResponse: ResponseStage | undefined;
  readonly peer: string;
  readonly record: RequestRecord;
  /** How long a driver may take until its response begins, in ms. */
  readonly responseTimeoutMs: number;
}

/** Who made the request, and what it is answered on. */
export interface HttpVisitor {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Answers in the place of the application. */
  readonly refuse: (failure: VisitorError) => void;
}

/** Carries one exchange: heads as records, bodies as bytes, each direction at the pace of who reads. */
export function exchange(request: ExchangeRequest, { req, res, refuse }: HttpVisitor): void {
  const { session, record, onResponse, isBodyChanged, responseTimeoutMs, body = req } = request;
  const isBodiless = !hasBody(req);
  const stream = session.openHttp(requestHeadOf(req, request), isBodiless ? flagEnd : 0);
  if (stream === undefined) return refuse(visitorErrors.streamLimit);
  if (stream === "tooLarge") return refuse(visitorErrors.headTooLarge);
  record.stream = stream;

  const timer = setTimeout(() => {
    body.off("data", bodyMoved);
    stream.reset(ResetCode.TIMEOUT);
    refuse(visitorErrors.upstreamTimeout);
  }, responseTimeoutMs);
  // A body that is still on its way, as a large upload over a slow line, is not what the application is late with.
  const bodyMoved = (): void => void timer.refresh();
  const stopTimer = (): void => {
    body.off("data", bodyMoved);
    clearTimeout(timer);
  };
  const fail = (failure: VisitorError): void => {
    stopTimer();
    record.failed(failure.code);
    // A response that was cut must never look whole.
    if (res.headersSent) res.destroy();
    else refuse(failure);
  };
  const cut = (): void => {
    stream.reset(ResetCode.BODY_LENGTH, "The response has another length than its head says.");
    fail(visitorErrors.interrupted);
  };
  const begin = (head: ResponseHead): void => {
    const headers = endToEndHeaders(head.headers);
    record.began(head.status, headers);
    writeHead(res, head, headers);
  };
  body.once("error", () => {
    stream.reset(ResetCode.CANCEL, "The body broke off.");
    // The visitor's own breaks off where the visitor left.
    if (body !== req && !res.destroyed) fail(visitorErrors.hookFailed);
  });
  if (!isBodiless) body.on("data", bodyMoved);
  const receive = receiveInto(res, stream);
  /** Bytes of the body that are still to come; `undefined` where the head does not say. */
  let leftBytes: number | undefined;
  let isWhole = false;
  const end = (): void => {
    isWhole = true;
    // Closing on a visitor who still sends would reset the connection before it could read the response.
    if (leftBytes === 0 && !res.shouldKeepAlive && !isBodiless && !req.complete) req.once("end", () => res.end());
    else res.end();
  };
  stream.handler = {
    onDrain: isBodiless ? () => {} : sendFrom(body, stream, () => (isBodyChanged ? undefined : req.rawTrailers)),
    onData(bytes) {
      if (leftBytes !== undefined && (leftBytes -= bytes.length) < 0) cut();
      else receive(bytes);
    },
    onHead(payload, flags) {
      const head = decodeResponseHead(payload, flags);
      if (flags & flagInfo) {
        // Early hints are headers of the response, which hooks have not seen yet.
        if (onResponse === undefined || head.status !== 103) writeInterim(res, head);
        return;
      }
      stopTimer();
      // A switch of protocols that the visitor did not ask for would hand it a connection it does not expect.
      if (head.status === 101) throw malformed("HEAD");
      leftBytes = bodyBytesOf(req, head);
      if (onResponse === undefined) {
        begin(head);
        return process.nextTick(flushHead, res, stream);
      }
      holdResponse({
        stream,
        destination: res,
        head,
        hasBody: mayHaveBody(req, head),
        bodyBytes: leftBytes,
        onResponse,
        begin(changed) {
          begin(changed);
          res.flushHeaders();
        },
        finish: (trailers) => void (trailers && res.addTrailers(pairsOf(trailers)), res.end()),
        fail,
      });
    },
    onTrailers: (trailers) => res.addTrailers(pairsOf(trailers)),
    onEnd: () => (leftBytes ? cut() : end()),
    onReset({ code }) {
      stopTimer();
      // Only what the visitor still sends has no destination any more.
      if (isWhole) void discardRest(req).then(() => res.end());
      else fail(failureOfReset(code));
    },
  };
  res.once("close", () => {
    stopTimer();
    // It also closes after success.
    if (!res.writableFinished) stream.reset(ResetCode.CANCEL, "The visitor left.");
    if (body !== req) body.destroy();
  });
}

/** RFC 9110 section 6.4.1. */
export const mayHaveBody = ({ method }: IncomingMessage, { status }: ResponseHead): boolean =>
  method !== "HEAD" && status !== 204 && status !== 304;

/** RFC 9112 section 6.3: what a visitor takes for the body of a response whose head states a length. */
function bodyBytesOf(req: IncomingMessage, head: ResponseHead): number | undefined {
  if (!mayHaveBody(req, head)) return undefined;
  const { headers } = head;
  for (let index = 0; index < headers.length; index += 2) {
    if (isContentLength(headers[index] as string)) return Number(headers[index + 1]);
  }
  return undefined;
}

function requestHeadOf(
  req: IncomingMessage,
  { bindId, target, headers, peer, record, isBodyChanged }: ExchangeRequest,
): RequestHead {
  const declared = isBodyChanged ? undefined : req.headers["content-length"];
  return {
    method: req.method ?? "GET",
    target,
    headers,
    bindId,
    peer,
    requestId: record.id,
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

function writeHead(res: ServerResponse, { status, reason }: ResponseHead, headers: string[]): void {
  // A switch of protocols that the visitor did not ask for would hand it a connection it does not expect.
  res.writeHead(status, reason || (STATUS_CODES[status] ?? ""), headers);
}

/** A head leaves with the bytes that arrived beside it, and alone where there are none: a stream of events may be silent. */
function flushHead(res: ServerResponse, stream: MuxStream): void {
  if (stream.receivedBytes === 0 && !res.writableEnded && !res.destroyed) res.flushHeaders();
}
