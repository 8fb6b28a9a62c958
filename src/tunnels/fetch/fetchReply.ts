import { internalError, type WireFailure } from "../../errors/wireErrors";
import type { RequestTrace } from "../../runtime/tracing";
import type { Cors } from "../http/cors";
import { mergeVary, securityHeaders } from "../http/replyHeaders";
import { jsonContentType, requestIdHeader } from "../protocol/headers";
import { isBodiless, type ByteStream, type WireHeaders, type WireResponse } from "../protocol/wire";
import { byteLength, incompleteReply } from "../server/traceRequests";
import { discardStream } from "../server/streamResult";
import { streamBody, type CutBody } from "./streamBody";

/** What the replies of one fetch edge have in common. */
export interface FetchReplyPolicy {
  readonly cors: Cors;
  /** The request headers that replies differ by, as `Vary` lists them; `""` for none. */
  readonly vary: string;
  /** A reply broke off, which its caller sees as a cut connection. */
  readonly onBroken: (error: unknown, requestId: string) => void;
}

/** What a reply belongs to, and what happens with it. */
export interface FetchReplyOwner {
  readonly origin: string | undefined;
  readonly requestId: string;
  /** What is published of the request. */
  readonly observed?: RequestTrace | undefined;
  /** A stream has begun, how it is cut, and what resolves when it holds nothing any longer. */
  onStreaming(cut: CutBody, released: Promise<unknown>): void;
  /** The caller has left before the end. */
  onLeft(): void;
  /** The last byte was taken, or there will be no further one. */
  onEnd(): void;
}

type StreamedBody = Extract<WireResponse["body"], { kind: "stream" }>;

/** Makes the reply to one request. `onEnd` is called once for it, before it is returned or later. */
export class FetchReply {
  readonly #policy: FetchReplyPolicy;
  readonly #owner: FetchReplyOwner;

  constructor(policy: FetchReplyPolicy, owner: FetchReplyOwner) {
    this.#policy = policy;
    this.#owner = owner;
  }

  /** The response of the pipeline; never one that a task has taken over. */
  send({ status, contentType = jsonContentType, headers, body }: WireResponse): Response {
    if (body.kind === "text") return this.#sendText(status, body.text, headers, contentType);
    if (body.kind === "stream") return this.#sendStream(status, body, { ...headers, "content-type": contentType });
    return this.refuse(internalError());
  }

  /** Sends a refusal of the protocol. */
  refuse({ status, message, code, data, retryAfterSeconds }: WireFailure, headers?: WireHeaders): Response {
    if (this.#owner.observed !== undefined) this.#owner.observed.code = code;
    const extra = retryAfterSeconds === undefined ? headers : { ...headers, "retry-after": String(retryAfterSeconds) };
    return this.#sendText(status, JSON.stringify({ ok: false, error: { message, code, data } }), extra);
  }

  /** Sends the response of a task, with the headers of every reply where it does not set them. */
  respond(response: Response): Response {
    this.#note(response.status);
    // It carries what no other response can, as the socket that it upgrades to.
    if (response.status < 200) {
      this.#owner.onEnd();
      return response;
    }
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(this.#headers(undefined, undefined))) {
      if (name === "vary") headers.set(name, mergeVary(headers.get(name) ?? "", value));
      else if (!headers.has(name)) headers.set(name, value);
    }
    const { status, statusText, body } = response;
    return new Response(body === null ? this.#ended() : this.#stream(iterate(body)), { status, statusText, headers });
  }

  #sendText(status: number, text: string, extra: WireHeaders | undefined, contentType = jsonContentType): Response {
    this.#note(status, text);
    this.#owner.onEnd();
    return new Response(text, { status, headers: this.#headers(contentType, extra) });
  }

  #sendStream(status: number, { stream, released }: StreamedBody, extra: WireHeaders): Response {
    const headers = this.#headers(undefined, extra);
    try {
      // Some hosts look at a response only when it is too late to send another one.
      new Headers(headers);
      // After an interim reply its caller would go on waiting.
      if (!(status >= 200 && status <= 599)) throw new RangeError(`A reply cannot have the status ${status}.`);
    } catch (error) {
      discardStream(stream);
      this.#policy.onBroken(error, this.#owner.requestId);
      return this.refuse(internalError());
    }
    this.#note(status);
    if (!isBodiless(status)) return new Response(this.#stream(stream, released), { status, headers });
    // Waiting for the stream might take for ever.
    discardStream(stream);
    return new Response(this.#ended(), { status, headers });
  }

  #ended(): null {
    this.#owner.onEnd();
    return null;
  }

  #stream(stream: ByteStream, source?: Promise<void>): ReadableStream<Uint8Array> {
    const owner = this.#owner;
    const { observed } = owner;
    const { body, cut, released } = streamBody(stream, {
      onFailed: (error) => this.#policy.onBroken(error, owner.requestId),
      onLeft: () => owner.onLeft(),
      onPiece: observed && ((bytes) => void (observed.bytesOut = (observed.bytesOut ?? 0) + bytes)),
      onEnd(isWhole) {
        if (!isWhole && observed !== undefined) observed.code ??= incompleteReply;
        owner.onEnd();
      },
    });
    owner.onStreaming(cut, Promise.all([released, source]));
    return body;
  }

  /** What is published of the reply. */
  #note(status: number, text = ""): void {
    const { observed } = this.#owner;
    if (observed === undefined) return;
    observed.status = status;
    observed.bytesOut = byteLength(text);
  }

  /** As a plain record, which some hosts write without making `Headers` of it. */
  #headers(contentType: string | undefined, extra: WireHeaders | undefined): Record<string, string> {
    const { cors, vary } = this.#policy;
    const { origin, requestId } = this.#owner;
    const headers: Record<string, string> = contentType === undefined ? {} : { "content-type": contentType };
    if (extra !== undefined) addOwn(headers, extra);
    addFlat(headers, cors.headersFor(origin));
    addFlat(headers, securityHeaders);
    if (requestId !== "") headers[requestIdHeader] = requestId;
    const own = extra?.["vary"];
    if (own !== undefined) headers["vary"] = mergeVary(vary, own);
    else if (vary !== "") headers["vary"] = vary;
    return headers;
  }
}

export function addFlat(headers: Record<string, string>, flat: readonly string[]): void {
  for (let index = 0; index < flat.length; index += 2) headers[flat[index] as string] = flat[index + 1] as string;
}

function addOwn(headers: Record<string, string>, own: WireHeaders): void {
  for (const [name, value] of Object.entries(own)) {
    if (name !== "vary" && value !== undefined) headers[name] = String(value);
  }
}

async function* iterate(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value;
  } finally {
    await reader.cancel();
  }
}
