import type { IncomingMessage, ServerResponse } from "node:http";
import { internalError, WireFailure } from "../../../errors/wireErrors";
import { settleOrAbort } from "../../../lib/settleOrAbort";
import type { RequestTrace } from "../../../runtime/tracing";
import { jsonContentType } from "../../../tunnels/protocol/headers";
import type { WireHeaders, WireResponse, WireTarget } from "../../../tunnels/protocol/wire";
import { startsLate, type StreamResult } from "../../../tunnels/server/streamResult";
import { cutReply } from "../../server/handMadeResponse";
import { openNodeStream } from "./pieceFlow";
import { PipedSources } from "./pipedSources";
import { addCommon } from "./replyHead";
import { replyProgress } from "./replyProgress";
import { sendRest, sendStream } from "./sendStream";
import { sendText } from "./sendText";
import { whenClosed, type ReplyPolicy, type WritableReply } from "./writableReply";

/**
 * The reply to one request; nothing else writes to a response, except a task that takes it over.
 *
 * Its bodies are written by `sendText` and `sendStream`.
 */
export class OutgoingReply implements WritableReply {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  readonly policy: ReplyPolicy;
  /** What the request is addressed to, once that is known. */
  target: WireTarget | undefined;
  /** What is published of the request. */
  observed: RequestTrace | undefined;
  #isResponding = false;
  #sources: PipedSources | undefined;
  #isBroken = false;
  #isReaderWatched = false;

  constructor(req: IncomingMessage, res: ServerResponse, policy: ReplyPolicy, requestId: string) {
    this.req = req;
    this.res = res;
    this.policy = policy;
    this.requestId = requestId;
  }

  /**
   * Sends the response of the pipeline.
   *
   * @returns a promise, where the reply goes on after this
   */
  send(response: WireResponse): Promise<void> | undefined {
    const { status, contentType = jsonContentType, headers, body } = response;
    if (body.kind === "text") return sendText(this, body.text, response);
    if (body.kind !== "stream") return whenClosed(this.res);
    const { itemsWatch, eventsWatch } = this.policy;
    if (body.isItems === true) this.watchReader(itemsWatch, "http.limits.streams.drainMs");
    else if (body.isItems) this.watchReader(eventsWatch, "http.limits.subscriptions.drainMs");
    return sendStream(this, body.stream, { status, contentType, headers, flushHeaders: body.flushHeaders });
  }

  /** Sends a refusal of the protocol. */
  refuse(failure: WireFailure, headers?: WireHeaders): Promise<void> | undefined {
    const { status, message, code, data, retryAfterSeconds } = failure;
    if (this.observed !== undefined) this.observed.code = code;
    const extra = retryAfterSeconds === undefined ? headers : { ...headers, "retry-after": String(retryAfterSeconds) };
    return sendText(this, JSON.stringify({ ok: false, error: { message, code, data } }), { status, headers: extra });
  }

  /** The response, with the headers of every reply set, for a task to reply by itself. */
  takeOver(): ServerResponse {
    const res = this.res;
    if (this.#sources !== undefined) return res;
    Object.assign(res, { [symbolReply]: this });
    this.#sources = new PipedSources(
      res,
      () => this.#hasCallerLeft,
      (error) => this.cut(error),
    );
    this.watchReader();
    if (res.headersSent) return res;
    const head: string[] = [];
    addCommon(head, this);
    for (let index = 0; index < head.length; index += 2)
      res.setHeader(head[index] as string, head[index + 1] as string);
    return res;
  }

  /** Whether the task has begun to reply: looking at the response is not yet that. */
  get isTaken(): boolean {
    if (this.#sources === undefined) return false;
    return this.#isResponding || this.#sources.wasPipedInto || this.res.headersSent || this.res.writableEnded;
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
    void sendRest(this, openNodeStream(result, this.#streaming));
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
      this.policy.onBroken(error, this.requestId);
      await this.refuse(error instanceof WireFailure ? error : internalError());
      return;
    } finally {
      res.off("close", onClose);
    }
    if (res.headersSent && !res.writableEnded) await sendRest(this, stream);
    else await sendStream(this, stream, result);
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

  watchReader(watch = this.policy.readerWatch, limit = "http.limits.replyIdleMs"): void {
    if (this.#isReaderWatched) return;
    this.#isReaderWatched = true;
    const reader = replyProgress(this.req, this.res, () => {
      this.#isBroken = true;
      this.policy.onBroken(new Error(`The caller took nothing of its reply for ${limit}.`), this.requestId);
      this.req.socket.destroy();
    });
    watch.add(reader);
    this.res.once("close", () => watch.delete(reader));
  }

  reportFailure(error: unknown): void {
    // What fails because its caller has left is no failure of ours.
    if (this.#isBroken || this.#hasCallerLeft) return;
    this.#isBroken = true;
    this.policy.onBroken(error, this.requestId);
  }

  cut(error: Error): void {
    if (this.#isBroken || this.res.writableEnded) return;
    this.#isBroken = true;
    this.policy.onBroken(error, this.requestId);
    cutReply(this.res);
  }

  get #streaming(): string {
    return `Task ${this.target?.id ?? ""}`;
  }

  get #hasCallerLeft(): boolean {
    return this.res.closed || (this.req.destroyed && !this.req.complete);
  }
}

/** How a response that a task has looked at leads back to the reply it belongs to. */
const symbolReply: unique symbol = /* @__PURE__ */ Symbol("runner.reply");

/** The reply that a response belongs to; none where no exposure serves it. */
export const replyOf = (res: ServerResponse): OutgoingReply | undefined =>
  (res as { readonly [symbolReply]?: OutgoingReply })[symbolReply];
