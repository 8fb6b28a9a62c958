import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { ResetCode } from "../../relay/codes";
import {
  decodeResponseHead,
  isContentLength,
  malformed,
  type FlatHeaders,
  type RequestHead,
  type ResetPayload,
  type ResponseHead,
} from "../../relay/framePayloads";
import { flagEnd, flagInfo } from "../../relay/frames";
import type { MuxSession } from "../../relay/muxSession";
import type { MuxStream } from "../../relay/muxStream";
import type { StreamHandler } from "../../relay/streamContract";
import { discardRest } from "../server/discardRest";
import { receiveInto, sendFrom } from "./byteFlow";
import type { Deadline, Deadlines } from "./deadlines";
import { hasBody } from "./endAnswer";
import { flushHead } from "./flushHead";
import { endToEndHeaders, endToEndTrailers, pairsOf } from "./headers";
import { holdResponse } from "./heldResponse";
import { lingerClose } from "./lingerClose";
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
  /** Of drivers, until their responses begin. */
  readonly deadlines: Deadlines;
}

/** Who made the request, and what it is answered on. */
export interface HttpVisitor {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Answers in the place of the application. */
  readonly refuse: (failure: VisitorError) => void;
}

/** Carries one exchange: heads as records, bodies as bytes, each direction at the pace of who reads. */
export function exchange(request: ExchangeRequest, visitor: HttpVisitor): void {
  const { session, record } = request;
  const { req, refuse } = visitor;
  const isBodiless = !hasBody(req);
  const stream = session.openHttp(requestHeadOf(req, request), isBodiless ? flagEnd : 0);
  if (stream === undefined) return refuse(visitorErrors.streamLimit);
  if (stream === "tooLarge") return refuse(visitorErrors.headTooLarge);
  record.stream = stream;
  new HttpExchange(request, visitor, stream, isBodiless).begin();
}

/** Most of a body that is sent in one piece with its head, in bytes. */
const smallBytes = 8_192;

/** What is needed of a request once its head was sent: a stream of events may last for hours. */
type CarriedRequest = Pick<ExchangeRequest, "record" | "deadlines" | "body" | "isBodyChanged" | "onResponse">;

/** One exchange at the relay. A class, because one is made per request. */
class HttpExchange implements StreamHandler {
  readonly #request: CarriedRequest;
  readonly #visitor: HttpVisitor;
  readonly #stream: MuxStream;
  readonly #isBodiless: boolean;
  readonly #deadline: Deadline;
  /** Bytes of the body that are still to come; `undefined` where the head does not say. */
  #leftBytes: number | undefined;
  #isWhole = false;
  /** The end of the body, which leaves with the end of the response. */
  #tail: string | undefined;
  #receive: ((bytes: Uint8Array) => void) | undefined;
  #resume: (() => void) | undefined;

  constructor(request: ExchangeRequest, visitor: HttpVisitor, stream: MuxStream, isBodiless: boolean) {
    const { record, deadlines, body, isBodyChanged, onResponse } = request;
    this.#request = { record, deadlines, body, isBodyChanged, onResponse };
    this.#visitor = visitor;
    this.#stream = stream;
    this.#isBodiless = isBodiless;
    this.#deadline = request.deadlines.add(() => this.#late());
  }

  begin(): void {
    const { req, res } = this.#visitor;
    const { isBodyChanged, body = req } = this.#request;
    const stream = this.#stream;
    stream.handler = this;
    res.on("close", () => this.#closed());
    if (body === req && this.#isBodiless) return;
    body.once("error", () => {
      stream.reset(ResetCode.CANCEL, "The body broke off.");
      // The visitor's own breaks off where the visitor left.
      if (body !== req && !res.destroyed) this.#fail(visitorErrors.hookFailed);
    });
    if (this.#isBodiless) return;
    body.on("data", this.#bodyMoved);
    this.#resume = sendFrom(body, stream, () => (isBodyChanged ? undefined : endToEndTrailers(req.rawTrailers)));
  }

  onDrain(): void {
    this.#resume?.();
  }

  onHead(payload: Uint8Array, flags: number): void {
    const head = decodeResponseHead(payload, flags);
    const { req, res } = this.#visitor;
    const { onResponse } = this.#request;
    if (flags & flagInfo) {
      // Early hints are headers of the response, which hooks have not seen yet.
      if (onResponse === undefined || head.status !== 103) writeInterim(res, head);
      return;
    }
    this.#stopTimer();
    // A switch of protocols that the visitor did not ask for would hand it a connection it does not expect.
    if (head.status === 101) throw malformed("HEAD");
    this.#leftBytes = bodyBytesOf(req, head);
    if (onResponse !== undefined) return this.#hold(head, onResponse);
    this.#beginResponse(head);
    process.nextTick(flushSilent, res, this.#stream);
  }

  onData(bytes: Uint8Array, isLast: boolean): void {
    if (this.#leftBytes !== undefined && (this.#leftBytes -= bytes.length) < 0) return this.#cut();
    if (isLast && bytes.length <= smallBytes && this.#receive === undefined) {
      // One piece of text costs half of what a head and bytes do.
      this.#tail = latin1Of(bytes);
      this.#stream.consumed(bytes.length);
      return;
    }
    this.#receive ??= receiveInto(this.#visitor.res, this.#stream);
    this.#receive(bytes);
  }

  onTrailers(trailers: FlatHeaders): void {
    this.#visitor.res.addTrailers(pairsOf(endToEndTrailers(trailers)));
  }

  onEnd(): void {
    if (this.#leftBytes) return this.#cut();
    this.#isWhole = true;
    const { req, res } = this.#visitor;
    const tail = this.#tail;
    this.#tail = undefined;
    const mustWait = !res.shouldKeepAlive && !this.#isBodiless && !req.complete;
    if (mustWait) lingerClose(req);
    // A visitor that knows the length of the response need not be told that it has ended.
    if (!mustWait || this.#leftBytes !== 0) return void (tail === undefined ? res.end() : res.end(tail, "latin1"));
    if (tail !== undefined) res.write(tail, "latin1");
    req.once("end", () => res.end());
  }

  onReset({ code }: Pick<ResetPayload, "code">): void {
    this.#stopTimer();
    const { req, res } = this.#visitor;
    // Only what the visitor still sends has no destination any more.
    if (this.#isWhole) void discardRest(req).then(() => res.end());
    else this.#fail(failureOfReset(code));
  }

  /** A body that is still on its way, as a large upload over a slow line, is not what the application is late with. */
  readonly #bodyMoved = (): void => this.#request.deadlines.refresh(this.#deadline);

  #stopTimer(): void {
    const { req } = this.#visitor;
    const { body = req, deadlines } = this.#request;
    deadlines.delete(this.#deadline);
    if (!this.#isBodiless) body.off("data", this.#bodyMoved);
  }

  #late(): void {
    this.#stopTimer();
    this.#stream.reset(ResetCode.TIMEOUT);
    this.#visitor.refuse(visitorErrors.upstreamTimeout);
  }

  #closed(): void {
    const { req, res } = this.#visitor;
    const { body = req } = this.#request;
    this.#stopTimer();
    // It also closes after success.
    if (!res.writableFinished) this.#stream.reset(ResetCode.CANCEL, "The visitor left.");
    if (body !== req) body.destroy();
  }

  #fail(failure: VisitorError): void {
    const { res, refuse } = this.#visitor;
    this.#stopTimer();
    this.#request.record.failed(failure.code);
    // A response that was cut must never look whole.
    if (res.headersSent) res.destroy();
    else refuse(failure);
  }

  #cut(): void {
    this.#stream.reset(ResetCode.BODY_LENGTH, "The response has another length than its head says.");
    this.#fail(visitorErrors.interrupted);
  }

  #beginResponse(head: ResponseHead): void {
    const headers = endToEndHeaders(head.headers);
    this.#request.record.began(head.status, headers);
    const { status, reason } = head;
    this.#visitor.res.writeHead(status, reason || (STATUS_CODES[status] ?? ""), headers);
  }

  #hold(head: ResponseHead, onResponse: ResponseStage): void {
    const { req, res } = this.#visitor;
    holdResponse({
      stream: this.#stream,
      destination: res,
      head,
      hasBody: mayHaveBody(req, head),
      bodyBytes: this.#leftBytes,
      onResponse,
      begin: (changed) => {
        this.#beginResponse(changed);
        flushHead(res);
      },
      finish: (trailers) => void (trailers && res.addTrailers(pairsOf(endToEndTrailers(trailers))), res.end()),
      fail: (failure) => this.#fail(failure),
    });
  }
}

function latin1Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString("latin1");
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

/** A head leaves with the bytes that arrived beside it, and alone where there are none: a stream of events may be silent. */
function flushSilent(res: ServerResponse, stream: MuxStream): void {
  if (stream.receivedBytes === 0 && !res.writableEnded && !res.destroyed) flushHead(res);
}
