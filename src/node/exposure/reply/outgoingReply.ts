import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { ofBegunCall } from "../../../errors/begunCall";
import { bufferFull, internalError, requestTimeout, WireFailure } from "../../../errors/wireErrors";
import { normalizeError } from "../../../errors/normaliseThrown";
import type { RequestTrace } from "../../../runtime/tracing";
import { settleOrAbort } from "../../../lib/settleOrAbort";
import { batchContentType } from "../../../tunnels/protocol/batch";
import { jsonContentType } from "../../../tunnels/protocol/headers";
import {
  isBodiless,
  type ByteStream,
  type WireHeaders,
  type WireResponse,
  type WireTarget,
} from "../../../tunnels/protocol/wire";
import { discardStream, startsLate, type StreamResult } from "../../../tunnels/server/streamResult";
import type { ContentCoding } from "../../contentCodings";
import { isCompressed, negotiateCoding } from "../../server/compression";
import type { ByteBudget } from "../../../lib/byteBudget";
import { cutReply } from "../../server/handMadeResponse";
import { discardRest } from "../../server/discardRest";
import type { PaceWatch } from "../../../tunnels/http/paceWatch";
import { openNodeStream } from "./pieceFlow";
import { PipedSources } from "./pipedSources";
import { addCommon, addOwn, type HeadPolicy } from "./replyHead";
import { replyProgress } from "./replyProgress";
import { sendPieces } from "./sendPieces";

/** What the replies of one exposure have in common. */
export interface ReplyPolicy extends HeadPolicy {
  /** Smallest text that is compressed, in bytes; `undefined` compresses nothing. */
  readonly compressFrom: number | undefined;
  /** What is held in memory of bodies and replies. */
  readonly budget: ByteBudget;
  /** Finds replies whose reader takes nothing. */
  readonly readerWatch: PaceWatch;
  /** Finds readers of items that take none. */
  readonly itemsWatch: PaceWatch;
  /** Finds subscribers that take no events. */
  readonly eventsWatch: PaceWatch;
  /** A reply broke off, which its caller sees as a cut connection. */
  readonly onBroken: (error: unknown, requestId: string) => void;
}

/** Texts that are sent even where the budget is spent, refusals among them, in bytes. */
const uncountedBytes = 4096;

/**
 * The reply to one request; nothing else writes to a response, except a task that takes it over.
 *
 * Headers go out in one flat `writeHead` with the whole body, which is the cheapest way Node has.
 */
export class OutgoingReply {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  /** What the request is addressed to, once that is known. */
  target: WireTarget | undefined;
  /** What is published of the request. */
  observed: RequestTrace | undefined;
  readonly #policy: ReplyPolicy;
  #isPrepared = false;
  #isResponding = false;
  #sources: PipedSources | undefined;
  #isBroken = false;
  #isReaderWatched = false;

  constructor(req: IncomingMessage, res: ServerResponse, policy: ReplyPolicy, requestId: string) {
    this.req = req;
    this.res = res;
    this.#policy = policy;
    this.requestId = requestId;
  }

  /**
   * Sends the response of the pipeline.
   *
   * @returns a promise, where the reply goes on after this
   */
  send({ status, contentType, headers, body }: WireResponse): Promise<void> | undefined {
    if (body.kind === "text") return this.#sendText(status, body.text, headers, contentType);
    if (body.kind === "stream") {
      const { itemsWatch, eventsWatch } = this.#policy;
      if (body.isItems === true) this.#watchReader(itemsWatch, "http.limits.streams.drainMs");
      else if (body.isItems) this.#watchReader(eventsWatch, "http.limits.subscriptions.drainMs");
      const head = { status, contentType: contentType ?? jsonContentType, headers, flushHeaders: body.flushHeaders };
      return this.#sendStream(body.stream, head);
    }
    return this.#ended();
  }

  /** Sends a refusal of the protocol. */
  refuse(failure: WireFailure, headers?: WireHeaders): Promise<void> | undefined {
    const { status, message, code, data, retryAfterSeconds } = failure;
    if (this.observed !== undefined) this.observed.code = code;
    const extra = retryAfterSeconds === undefined ? headers : { ...headers, "retry-after": String(retryAfterSeconds) };
    return this.#sendText(status, JSON.stringify({ ok: false, error: { message, code, data } }), extra);
  }

  /** The response, with the headers of every reply set, for a task to reply by itself. */
  takeOver(): ServerResponse {
    const res = this.res;
    if (this.#isPrepared) return res;
    this.#isPrepared = true;
    Object.assign(res, { [symbolReply]: this });
    this.#sources = new PipedSources(
      res,
      () => this.#hasCallerLeft,
      (error) => this.#break(error),
    );
    this.#watchReader();
    if (res.headersSent) return res;
    const head: string[] = [];
    addCommon(head, this, this.#policy);
    for (let index = 0; index < head.length; index += 2)
      res.setHeader(head[index] as string, head[index + 1] as string);
    return res;
  }

  /** Whether the task has begun to reply: looking at the response is not yet that. */
  get isTaken(): boolean {
    if (!this.#isPrepared) return false;
    return this.#isResponding || this.#sources?.wasPipedInto === true || this.res.headersSent || this.res.writableEnded;
  }

  /** Whether something that is being piped is going to end it. */
  get isPipedInto(): boolean {
    return this.#isResponding || this.#sources?.isPipedInto === true;
  }

  get isEnded(): boolean {
    return this.res.writableEnded;
  }

  /** Goes on with a stream where the task stopped writing. */
  append(result: StreamResult): void {
    void this.#sendPieces(openNodeStream(result, this.#streaming), undefined);
  }

  /** Replies with a stream while the task goes on, as if the task had returned it. */
  async respond(result: StreamResult): Promise<void> {
    this.#isResponding = true;
    const { res } = this;
    const stream = openNodeStream(result, this.#streaming);
    const left = new AbortController();
    const onClose = (): void => left.abort();
    res.once("close", onClose);
    try {
      if (!startsLate(result)) await settleOrAbort(stream.start(), left.signal);
    } catch (error) {
      stream.destroy();
      if (left.signal.aborted) return;
      this.#policy.onBroken(error, this.requestId);
      await this.refuse(error instanceof WireFailure ? error : internalError());
      return;
    } finally {
      res.off("close", onClose);
    }
    if (res.headersSent && !res.writableEnded) await this.#sendPieces(stream, undefined);
    else await this.#sendStream(stream, result);
  }

  end(): void {
    this.res.end();
  }

  /** Cuts a reply that was begun and can no longer be completed, so that its caller does not take it for whole. */
  breakOff(): void {
    const isBegun = this.res.headersSent || this.isTaken;
    if (!isBegun || this.res.writableEnded) return;
    this.#isBroken = true;
    this.res.destroy();
  }

  #sendText(
    status: number,
    text: string,
    extra: WireHeaders | undefined,
    contentType = jsonContentType,
  ): Promise<void> | undefined {
    const { res } = this;
    if (res.headersSent || res.destroyed) return undefined;
    const bytes = Buffer.byteLength(text);
    // The calls of a batch have run, and there was room for the reply to each.
    const mayRefuse = bytes > uncountedBytes && contentType !== batchContentType;
    if (mayRefuse && !this.#policy.budget.fits(bytes)) return this.#refuseBytes(bytes);
    const coding = bytes >= (this.#policy.compressFrom ?? Infinity) ? this.#coding() : undefined;
    if (coding !== undefined) return this.#sendCompressed(text, { status, contentType, headers: extra }, coding);
    // As many bytes as characters: all of it is ASCII, which Node writes faster when the encoding says so.
    const encoding = bytes === text.length ? "latin1" : "utf8";
    return this.#write(status, this.#head(contentType, String(bytes), extra), text, encoding);
  }

  async #sendCompressed(
    text: string,
    { status, contentType, headers }: BodyHead,
    coding: ContentCoding,
  ): Promise<void> {
    const payload = await coding.encode(text);
    if (this.res.headersSent || this.res.destroyed) return;
    const extra = { ...headers, "content-encoding": coding.name };
    await this.#write(status, this.#head(contentType, String(payload.byteLength), extra), payload);
  }

  #write(
    status: number,
    head: string[],
    payload: string | Buffer,
    encoding: BufferEncoding = "utf8",
  ): Promise<void> | undefined {
    const { req, res } = this;
    if (!req.complete) return this.#writeEarly(status, head, payload);
    res.writeHead(status, head).end(payload, encoding);
    // A body that was refused halfway would block the next request of the connection.
    if (!req.readableEnded) req.resume();
    // Nearly every reply has left by now. What is left over is memory, and in flight until its reader has taken it.
    if (res.writableFinished) return undefined;
    this.#hold(payload);
    return this.#ended();
  }

  /** There is no room for a reply beside those that wait for their readers. */
  #refuseBytes(bytes: number): Promise<void> | undefined {
    const { limitBytes } = this.#policy.budget;
    const reason = `The reply of ${bytes} bytes does not fit into http.limits.bufferedBytes (${limitBytes}) now.`;
    this.#policy.onBroken(new Error(reason), this.requestId);
    return this.refuse(ofBegunCall(bufferFull()));
  }

  /** Counts what waits for the reader until it has gone. */
  #hold(payload: string | Buffer): void {
    const { budget } = this.#policy;
    const bytes = Buffer.byteLength(payload);
    budget.add(bytes);
    this.res.once("close", () => budget.release(bytes));
    this.#watchReader();
  }

  /** A reader that takes nothing while bytes wait is cut: it would keep them, and its place, for ever. */
  #watchReader(watch = this.#policy.readerWatch, limit = "http.limits.replyIdleMs"): void {
    if (this.#isReaderWatched) return;
    this.#isReaderWatched = true;
    const { onBroken } = this.#policy;
    const reader = replyProgress(this.req, this.res, () => {
      this.#isBroken = true;
      onBroken(new Error(`The caller took nothing of its reply for ${limit}.`), this.requestId);
      this.req.socket.destroy();
    });
    watch.add(reader);
    this.res.once("close", () => watch.delete(reader));
  }

  /** Writes a reply for which the request's body was not needed, and has perhaps not arrived. */
  async #writeEarly(status: number, head: string[], payload: string | Buffer): Promise<void> {
    const { req, res } = this;
    // What came with the head is parsed by then; usually that is all of it, and the connection stays usable.
    await new Promise(setImmediate);
    if (res.headersSent || res.destroyed) return;
    if (req.complete) {
      await this.#write(status, head, payload);
      return;
    }
    if (!this.#endsConnection) head.push("connection", "close");
    res.writeHead(status, head).write(payload);
    if (res.writableLength > 0 || (req.socket as Socket | null)?.writableLength) this.#hold(payload);
    if (status === requestTimeout.status) res.end();
    // Closing on a caller that still sends would reset the connection before it could read the reply. That takes as
    // long as its sender likes, so nothing waits for it.
    else void discardRest(req).then(() => this.#endSafely());
  }

  async #sendStream(stream: ByteStream, head: BodyHead): Promise<void> {
    const { res } = this;
    const { status, contentType, headers, flushHeaders } = head;
    if (res.headersSent || res.destroyed) {
      discardStream(stream);
      return;
    }
    if (isBodiless(status)) return this.#sendHeadOf(stream, head);
    const isEncoded = headers?.["content-encoding"] || res.hasHeader("content-encoding") || isCompressed(contentType);
    const coding = isEncoded ? undefined : this.#coding();
    // The length of compressed bytes is not known before they are all made.
    const own = coding && { ...headers, "content-length": undefined, "content-encoding": coding.name };
    if (!this.#writeHead(status, this.#head(contentType, undefined, own ?? headers))) {
      discardStream(stream);
      return this.refuse(internalError());
    }
    if (flushHeaders) res.flushHeaders();
    await this.#sendPieces(stream, coding);
    if (!this.req.complete) void discardRest(this.req);
  }

  /** Sends a status that has no body: waiting for the stream might take for ever. */
  #sendHeadOf(stream: ByteStream, { status, contentType, headers }: BodyHead): Promise<void> | undefined {
    discardStream(stream);
    // RFC 9110 §15.3.6: of these, 205 alone is framed like a reply with a body.
    const own = status === 304 ? headers : { ...headers, "content-length": status === 205 ? "0" : undefined };
    if (!this.#writeHead(status, this.#head(contentType, undefined, own))) return this.refuse(internalError());
    this.res.end();
    if (!this.req.complete) void discardRest(this.req);
    return undefined;
  }

  /** @returns false when a status or header of the task's cannot be sent */
  #writeHead(status: number, head: string[]): boolean {
    try {
      // After an interim reply its caller would go on waiting.
      if (status < 200) throw new RangeError(`A reply cannot have the status ${status}.`);
      this.res.writeHead(status, head);
      return true;
    } catch (error) {
      this.#policy.onBroken(error, this.requestId);
      // The words of the status that could not be sent.
      this.res.statusMessage = "";
      return false;
    }
  }

  #sendPieces(stream: ByteStream, coding: ContentCoding | undefined): Promise<void> {
    this.#watchReader();
    return sendPieces(stream, this.res, {
      coding,
      budget: this.#policy.budget,
      onFailed: (error) => {
        // What fails because its caller has left is no failure of ours.
        if (this.#isBroken || this.#hasCallerLeft) return;
        this.#isBroken = true;
        this.#policy.onBroken(error, this.requestId);
      },
    });
  }

  get #streaming(): string {
    return `Task ${this.target?.id ?? ""}`;
  }

  get #hasCallerLeft(): boolean {
    return this.res.closed || (this.req.destroyed && !this.req.complete);
  }

  /** Something that was piped into the reply has failed, so that nothing would end it. */
  #break(error: Error): void {
    if (this.#isBroken || this.res.writableEnded) return;
    this.#isBroken = true;
    this.#policy.onBroken(error, this.requestId);
    cutReply(this.res);
  }

  /** Nothing waits for it, so that what a response made by hand throws would end the process. */
  #endSafely(): void {
    try {
      this.res.end();
    } catch (error) {
      this.#break(normalizeError(error));
    }
  }

  #ended(): Promise<void> | undefined {
    const { res } = this;
    if (res.writableFinished || res.closed) return undefined;
    return new Promise((resolve) => res.once("close", resolve));
  }

  #head(contentType: string, length: string | undefined, extra: WireHeaders | undefined): string[] {
    const head =
      length === undefined ? ["content-type", contentType] : ["content-type", contentType, "content-length", length];
    if (extra !== undefined) addOwn(head, extra);
    addCommon(head, this, this.#policy, extra?.["vary"]);
    return head;
  }

  get #endsConnection(): boolean {
    return this.#policy.endsConnection(this.req, this.res);
  }

  #coding(): ContentCoding | undefined {
    return this.#policy.compressFrom === undefined ? undefined : negotiateCoding(this.req.headers["accept-encoding"]);
  }
}

/** What stands before a body. */
type BodyHead = Pick<WireResponse, "status" | "headers"> & {
  readonly contentType: string;
  readonly flushHeaders?: boolean | undefined;
};

/** How a response that a task has looked at leads back to the reply it belongs to. */
const symbolReply: unique symbol = /* @__PURE__ */ Symbol("runner.reply");

/** The reply that a response belongs to; none where no exposure serves it. */
export const replyOf = (res: ServerResponse): OutgoingReply | undefined =>
  (res as { readonly [symbolReply]?: OutgoingReply })[symbolReply];
