import type { IncomingMessage, ServerResponse } from "node:http";
import { finished, pipeline, type Readable, type Transform } from "node:stream";
import { internalError, requestTimeout, type WireFailure } from "../../../errors/wireErrors";
import { jsonContentType, requestIdHeader } from "../../../tunnels/protocol/headers";
import type { ByteStream, WireHeaders, WireResponse } from "../../../tunnels/protocol/wire";
import { discardStream } from "../../../tunnels/server/streamResult";
import {
  compressText,
  createCompressor,
  isCompressed,
  negotiateCoding,
  type ContentCoding,
} from "../../server/compression";
import type { Cors } from "../cors";
import { discardRest } from "../../server/discardRest";
import { toNodeStreams } from "./replyStreams";

/** What the replies of one exposure have in common. */
export interface ReplyPolicy {
  readonly cors: Cors;
  /** The request headers that replies differ by, as `Vary` lists them; `""` for none. */
  readonly vary: string;
  /** Smallest text that is compressed, in bytes; `undefined` compresses nothing. */
  readonly compressFrom: number | undefined;
  /** Whether connections are to be closed after their current reply. */
  readonly isClosing: () => boolean;
  /** A reply broke off, which its caller sees as a cut connection. */
  readonly onBroken: (error: unknown, requestId: string) => void;
}

const bodiless: ReadonlySet<number> = /* @__PURE__ */ new Set([204, 205, 304]);
const security: readonly string[] = ["x-content-type-options", "nosniff", "x-frame-options", "DENY"];

/**
 * The reply to one request; nothing else writes to a response, except a task that takes it over.
 *
 * Headers go out in one flat `writeHead` with the whole body, which is the cheapest way Node has.
 */
export class OutgoingReply {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  readonly #policy: ReplyPolicy;
  #isPrepared = false;
  #isWatched = false;
  #wasPipedInto = false;
  #sourceCount = 0;
  #latestSource: Readable | undefined;
  #isBroken = false;

  constructor(req: IncomingMessage, res: ServerResponse, policy: ReplyPolicy, requestId: string) {
    this.req = req;
    this.res = res;
    this.#policy = policy;
    this.requestId = requestId;
  }

  /**
   * Sends what the pipeline answered.
   *
   * @returns a promise, where the reply goes on after this
   */
  send({ status, contentType, headers, body }: WireResponse): Promise<void> | undefined {
    if (body.kind === "text") return this.#sendText(status, body.text, headers);
    if (body.kind === "stream") return this.#sendStream(body.stream, status, contentType ?? jsonContentType, headers);
    return this.#ended();
  }

  /** Sends a refusal of the protocol. */
  refuse(failure: WireFailure, headers?: WireHeaders): Promise<void> | undefined {
    const { status, message, code } = failure;
    return this.#sendText(status, JSON.stringify({ ok: false, error: { message, code } }), headers);
  }

  /** The response, with the headers of every reply set, for a task to answer by itself. */
  takeOver(): ServerResponse {
    const res = this.res;
    if (this.#isPrepared) return res;
    this.#isPrepared = true;
    this.#watchSources();
    if (res.headersSent) return res;
    const head: string[] = [];
    this.#addCommon(head);
    for (let index = 0; index < head.length; index += 2)
      res.setHeader(head[index] as string, head[index + 1] as string);
    return res;
  }

  /** Whether the task has begun to answer: looking at the response is not yet that. */
  get isTaken(): boolean {
    return this.#isPrepared && (this.#wasPipedInto || this.res.headersSent || this.res.writableEnded);
  }

  /** Whether something that is being piped is going to end it. */
  get isPipedInto(): boolean {
    return this.#sourceCount > 0;
  }

  get isEnded(): boolean {
    return this.res.writableEnded;
  }

  /** Goes on with a stream where the task stopped writing. */
  append(stream: ByteStream): void {
    void this.#pipe(toNodeStreams(stream), undefined);
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

  #sendText(status: number, text: string, extra: WireHeaders | undefined): Promise<void> | undefined {
    const { res } = this;
    if (res.headersSent || res.destroyed) return undefined;
    const bytes = Buffer.byteLength(text);
    const coding = bytes >= (this.#policy.compressFrom ?? Infinity) ? this.#coding() : undefined;
    if (coding !== undefined) return this.#sendCompressed(status, text, extra, coding);
    // As many bytes as characters: all of it is ASCII, which Node writes faster when it is told so.
    const encoding = bytes === text.length ? "latin1" : "utf8";
    return this.#write(status, this.#head(jsonContentType, String(bytes), extra), text, encoding);
  }

  async #sendCompressed(
    status: number,
    text: string,
    extra: WireHeaders | undefined,
    coding: ContentCoding,
  ): Promise<void> {
    const payload = await compressText(coding, text);
    if (this.res.headersSent || this.res.destroyed) return;
    const head = this.#head(jsonContentType, String(payload.byteLength), { ...extra, "content-encoding": coding });
    await this.#write(status, head, payload);
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
    // Whoever closes waits for what is being served, and would cut what has not left yet.
    return this.#policy.isClosing() ? this.#ended() : undefined;
  }

  /** Writes an answer for which the request's body was not needed, and has perhaps not arrived. */
  async #writeEarly(status: number, head: string[], payload: string | Buffer): Promise<void> {
    const { req, res } = this;
    // What came with the head is parsed by then; usually that is all of it, and the connection stays usable.
    await new Promise(setImmediate);
    if (res.headersSent || res.destroyed) return;
    if (req.complete) {
      await this.#write(status, head, payload);
      return;
    }
    if (!this.#policy.isClosing()) head.push("connection", "close");
    res.writeHead(status, head).write(payload);
    if (status === requestTimeout.status) res.end();
    // Closing on a caller that still sends would reset the connection before it could read the answer. That takes as
    // long as its sender likes, so nobody waits for it.
    else void discardRest(req).then(() => res.end());
  }

  async #sendStream(
    stream: ByteStream,
    status: number,
    contentType: string,
    extra: WireHeaders | undefined,
  ): Promise<void> {
    const res = this.res;
    if (res.headersSent || res.destroyed) {
      discardStream(stream);
      return;
    }
    if (bodiless.has(status)) return this.#sendHeadOf(stream, status, contentType, extra);
    const isEncoded = extra?.["content-encoding"] || res.hasHeader("content-encoding") || isCompressed(contentType);
    const coding = isEncoded ? undefined : this.#coding();
    // Of compressed bytes nobody knows the length.
    const own = coding && { ...extra, "content-length": undefined, "content-encoding": coding };
    const streams = toNodeStreams(stream);
    if (this.#writeHead(status, this.#head(contentType, undefined, own ?? extra))) {
      await this.#pipe(streams, coding);
      if (!this.req.complete) void discardRest(this.req);
      return;
    }
    streams[0]?.destroy();
    await this.refuse(internalError);
  }

  /** Answers with a status that has no body: waiting for the stream might take for ever. */
  #sendHeadOf(
    stream: ByteStream,
    status: number,
    contentType: string,
    extra: WireHeaders | undefined,
  ): Promise<void> | undefined {
    discardStream(stream);
    // RFC 9110 §15.3.6: of these, 205 alone is framed like a reply with a body.
    const own = status === 304 ? extra : { ...extra, "content-length": status === 205 ? "0" : undefined };
    if (!this.#writeHead(status, this.#head(contentType, undefined, own))) return this.refuse(internalError);
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

  /** A stream that fails midway destroys the response; a caller that leaves destroys the stream. */
  #pipe(streams: (Readable | Transform)[], coding: ContentCoding | undefined): Promise<void> {
    this.#watchSources();
    if (coding !== undefined) streams.push(createCompressor(coding));
    return new Promise((resolve) => pipeline([...streams, this.res] as never, () => resolve()));
  }

  /** Sees to what flows into the response, whoever pipes it: where it fails, nobody would ever end the reply. */
  #watchSources(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.res.on("unpipe", (source: Readable) => {
      this.#sourceCount -= 1;
      // The task has taken it away; what has failed is taken away by its failure.
      if (!source.destroyed && this.#latestSource === source) this.#latestSource = undefined;
    });
    this.res.on("pipe", (source: Readable) => {
      this.#wasPipedInto = true;
      this.#sourceCount += 1;
      this.#latestSource = source;
      finished(source, { writable: false }, (error) => {
        // What fails because its caller has left is no failure of ours.
        if (error && !this.#hasCallerLeft) setImmediate(() => this.#break(error, source));
      });
    });
  }

  get #hasCallerLeft(): boolean {
    return this.res.closed || (this.req.destroyed && !this.req.complete);
  }

  /** By now, a task that handles such failures itself has ended its reply, or pipes something else into it. */
  #break(error: Error, source: Readable): void {
    if (this.#isBroken || this.res.writableEnded || this.#latestSource !== source) return;
    this.#isBroken = true;
    this.#policy.onBroken(error, this.requestId);
    this.res.destroy();
  }

  #ended(): Promise<void> | undefined {
    const { res } = this;
    if (res.writableFinished || res.closed) return undefined;
    return new Promise((resolve) => res.once("close", resolve));
  }

  #head(contentType: string, length: string | undefined, extra: WireHeaders | undefined): string[] {
    const head =
      length === undefined ? ["content-type", contentType] : ["content-type", contentType, "content-length", length];
    if (extra !== undefined) append(head, extra);
    this.#addCommon(head, extra?.["vary"]);
    return head;
  }

  /** Adds the headers of every reply, whatever it says. */
  #addCommon(head: string[], ownVary?: string | string[]): void {
    const { cors, vary, isClosing } = this.#policy;
    // One by one: spreading them takes twice as long.
    for (const part of cors.headersFor(this.req.headers.origin)) head.push(part);
    for (const part of security) head.push(part);
    if (this.requestId !== "") head.push(requestIdHeader, this.requestId);
    if (ownVary !== undefined) head.push("vary", this.#mergedVary(mergeVary(vary, ownVary)));
    else if (vary !== "") head.push("vary", this.#mergedVary(vary));
    if (isClosing()) head.push("connection", "close");
  }

  /** With what something in front of us has set. */
  #mergedVary(own: string): string {
    const existing = this.res.getHeader("vary");
    return existing === undefined ? own : mergeVary(existing, own);
  }

  #coding(): ContentCoding | undefined {
    return this.#policy.compressFrom === undefined ? undefined : negotiateCoding(this.req.headers["accept-encoding"]);
  }
}

function append(head: string[], headers: WireHeaders): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name === "vary" || value === undefined) continue;
    for (const each of [value].flat()) head.push(name, each);
  }
}

/** Joins two lists as they stand in `Vary`, each name once. */
export function mergeVary(existing: number | string | readonly string[], added: string | readonly string[]): string {
  const names = `${String(existing)},${String(added)}`.split(",").map((name) => name.trim());
  if (names.includes("*")) return "*";
  const byKey = new Map<string, string>();
  for (const name of names) {
    const key = name.toLowerCase();
    if (name !== "" && !byKey.has(key)) byKey.set(key, name);
  }
  return [...byKey.values()].join(", ");
}
