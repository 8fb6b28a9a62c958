import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { normalizeError } from "../../errors/normaliseThrown";
import { createByteCounter, type ByteCounter } from "../../tunnels/protocol/progress";
import { isStreamedReply } from "../../tunnels/protocol/replyKind";
import type { WireRequest, WireResponse } from "../../tunnels/protocol/wire";
import { ownError, replyAborted } from "./connectionErrors";
import { decodeStream } from "./contentDecoding";
import { ReplyText } from "./replyText";

type DispatchHandler = Dispatcher.DispatchHandler;
type Headers = Readonly<Record<string, string | string[] | undefined>>;

interface Settling {
  readonly resolve: (response: WireResponse) => void;
  readonly reject: (reason: unknown) => void;
}

/** One call: undici calls it for what happens on the connection. A class, since every call makes one. */
export class PoolCall implements DispatchHandler {
  readonly #request: WireRequest;
  readonly #body: string | Buffer;
  readonly #limitBytes: number;
  readonly #resolve: Settling["resolve"];
  readonly #reject: Settling["reject"];
  readonly #onAbort: (() => void) | undefined;
  #text: ReplyText | undefined;
  #stream: Readable | undefined;
  #counter: ByteCounter | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #isOver = false;
  #status = 0;
  #statusText: string | undefined;
  #headers: Headers = {};

  constructor(request: WireRequest, body: string | Buffer, limitBytes: number, { resolve, reject }: Settling) {
    this.#request = request;
    this.#body = body;
    this.#limitBytes = limitBytes;
    this.#resolve = resolve;
    this.#reject = reject;
    if (request.signal !== undefined) {
      this.#onAbort = () => this.#abort(request.signal?.reason);
      request.signal.addEventListener("abort", this.#onAbort, { once: true });
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    const { signal } = this.#request;
    // Aborted while it waited for a connection.
    if (signal?.aborted === true) controller.abort(normalizeError(signal.reason));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Headers,
    statusText?: string,
  ): void {
    // An informational one, as 103, comes before the one that counts.
    if (status < 200) return;
    this.#status = status;
    this.#statusText = statusText;
    this.#headers = headers;
    this.#reportProgress();
    // A list, where the server repeats a header.
    const contentType = headers["content-type"]?.toString();
    const encoding = headers["content-encoding"]?.toString();
    if (isStreamedReply(this.#request.target, { status, contentType })) this.#startStream(controller, encoding);
    else this.#text = new ReplyText({ status, contentType, encoding, limitBytes: this.#limitBytes });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#counter?.add(chunk.byteLength);
    if (this.#stream !== undefined) {
      if (!this.#stream.push(chunk)) controller.pause();
      return;
    }
    try {
      if (this.#text?.add(chunk) !== false) return;
    } catch (error) {
      this.#abort(error);
      return;
    }
    this.onResponseEnd();
    controller.abort(new Error("The rest of the reply is not needed."));
  }

  onResponseEnd(): void {
    this.#end();
    this.#counter?.finish();
    if (this.#stream !== undefined) {
      this.#stream.push(null);
      return;
    }
    const text = this.#text?.end() ?? "";
    if (typeof text === "string") this.#respond(text);
    else text.then((decoded) => this.#respond(decoded), this.#reject);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end();
    // Readers of streams of Node know the errors of Node.
    this.#stream?.destroy(replyAborted(error));
    this.#reject(this.#request.signal?.aborted === true ? error : ownError(error));
  }

  #reportProgress(): void {
    const { onProgress, onDownloadProgress } = this.#request;
    if (onProgress !== undefined) {
      const sentBytes = Buffer.byteLength(this.#body);
      onProgress({ sentBytes, totalBytes: sentBytes });
    }
    if (onDownloadProgress !== undefined) {
      const totalBytes = Number(this.#headers["content-length"]) || undefined;
      this.#counter = createByteCounter((receivedBytes) => onDownloadProgress({ receivedBytes, totalBytes }));
    }
  }

  /** The connection is read at the pace of the stream, and closed with it. */
  #startStream(controller: Dispatcher.DispatchController, encoding: string | undefined): void {
    const received = new Readable({
      highWaterMark: streamBufferBytes,
      read: () => controller.resume(),
      destroy: (error, done) => {
        if (!this.#isOver) controller.abort(error ?? new Error("The reply was destroyed before its end."));
        done(error);
      },
    });
    // It may fail before the caller reads it, which must not fail the process.
    received.on("error", () => {});
    this.#stream = received;
    const isEmpty = this.#status === 204 || this.#headers["content-length"] === "0";
    const stream = encoding === undefined || isEmpty ? received : decodeStream(received, encoding);
    if (stream !== received) stream.on("error", () => {});
    this.#settle({ kind: "stream", stream });
  }

  #respond(text: string): void {
    this.#settle({ kind: "text", text });
  }

  #settle(body: WireResponse["body"]): void {
    const contentType = this.#headers["content-type"]?.toString();
    this.#resolve({ status: this.#status, statusText: this.#statusText, contentType, headers: this.#headers, body });
  }

  #abort(reason: unknown): void {
    this.#end();
    this.#stream?.destroy(normalizeError(reason));
    this.#reject(reason);
    this.#controller?.abort(normalizeError(reason));
  }

  #end(): void {
    this.#isOver = true;
    if (this.#onAbort !== undefined) this.#request.signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** What a streamed reply holds of what was not yet read. */
const streamBufferBytes = 65_536;
