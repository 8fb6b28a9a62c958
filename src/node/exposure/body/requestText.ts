import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import {
  bufferFull,
  invalidJson,
  payloadTooLarge,
  requestAborted,
  requestTimeout,
  WireFailure,
} from "../../../errors/wireErrors";
import type { TextBody } from "../../../tunnels/protocol/wire";
import type { ByteBudget } from "../../../lib/byteBudget";
import type { PaceWatch, Watched } from "../../../tunnels/http/paceWatch";
import { ChunkList } from "./chunkList";

/** How the bodies of one exposure are read. */
export interface BodySource {
  /** Finds bodies that stopped arriving, or arrive too slowly. */
  readonly paceWatch: PaceWatch;
  /** What is held in memory of bodies and replies. */
  readonly budget: ByteBudget;
  /** Finds files that are not read on after their call was answered. */
  readonly leftoverWatch: PaceWatch;
  /**
   * The body's bytes, with the request's coding undone where that is enabled.
   *
   * @throws {WireFailure} 415
   */
  open(req: IncomingMessage, limitBytes: number): Readable;
}

/** The text of a request. A class, because one is made per request. */
export class RequestText implements TextBody {
  readonly kind = "text";
  readonly #req: IncomingMessage;
  readonly #source: BodySource;

  constructor(req: IncomingMessage, source: BodySource) {
    this.#req = req;
    this.#source = source;
  }

  read(limitBytes = Infinity): string | Promise<string> {
    const req = this.#req;
    const parsed = readParsedBody(req);
    if (parsed !== undefined) return parsed;
    // Nothing more comes of it, not even an error.
    if (req.destroyed) throw requestAborted();
    return readText(req, this.#source.open(req, limitBytes), limitBytes, this.#source);
  }
}

/**
 * Reads a stream into one string.
 *
 * @throws {WireFailure} (as a rejection) 413 at the first byte over the limit, 408 when it came too slowly, 499 when
 * the connection was lost, 503 when there is no room for it, 400 when the coding could not be undone
 */
const readText = (req: IncomingMessage, stream: Readable, limitBytes: number, source: BodySource): Promise<string> =>
  new TextReader(req, stream, limitBytes, source).text;

/** A body that is read into a string. A class, because one is made per request. */
class TextReader implements Watched {
  readonly #stream: Readable;
  readonly #limitBytes: number;
  readonly #source: BodySource;
  readonly text: Promise<string>;
  #resolve!: (text: string) => void;
  #reject!: (error: WireFailure) => void;
  /** Bytes that have come over the connection, where they differ from those that are read. */
  readonly #receivedBytes: (() => number) | undefined;
  #first: Buffer | undefined;
  #chunks: ChunkList | undefined;
  #seenBytes = 0;

  constructor(req: IncomingMessage, stream: Readable, limitBytes: number, source: BodySource) {
    this.#stream = stream;
    this.#limitBytes = limitBytes;
    this.#source = source;
    this.text = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#receivedBytes = stream === req ? undefined : countReceived(req);
    source.paceWatch.add(this);
    stream
      .on("data", this.#onData)
      .on("end", this.#onEnd)
      .on("error", (error) => this.#fail(failureOf(error, req)));
  }

  progress(): number {
    return this.#receivedBytes?.() ?? this.#seenBytes;
  }

  onStalled(): void {
    this.#fail(requestTimeout());
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#seenBytes + chunk.byteLength > this.#limitBytes) return this.#fail(payloadTooLarge());
    if (!this.#source.budget.take(chunk.byteLength)) return this.#fail(bufferFull());
    this.#seenBytes += chunk.byteLength;
    if (this.#chunks !== undefined) this.#chunks.push(chunk);
    else if (this.#first === undefined) this.#first = chunk;
    else {
      this.#chunks = new ChunkList();
      this.#chunks.push(this.#first);
      this.#chunks.push(chunk);
    }
    return undefined;
  };

  readonly #onEnd = (): void => {
    this.#source.paceWatch.delete(this);
    this.#source.budget.release(this.#seenBytes);
    // Decoded as a whole: a character may be cut by the border of two chunks.
    this.#resolve((this.#chunks?.join() ?? this.#first)?.toString() ?? "");
  };

  #fail(error: WireFailure): void {
    this.#source.paceWatch.delete(this);
    this.#stream.off("data", this.#onData).off("end", this.#onEnd);
    this.#stream.pause();
    this.#source.budget.release(this.#seenBytes);
    this.#seenBytes = 0;
    this.#reject(error);
  }
}

/** How many bytes of a coded body have arrived: what comes out of it may take its time. */
export function countReceived(req: IncomingMessage): () => number {
  let bytes = 0;
  req.on("data", (chunk: Buffer) => (bytes += chunk.byteLength));
  return () => bytes;
}

function failureOf(error: Error, req: IncomingMessage): WireFailure {
  if (error instanceof WireFailure) return error;
  return req.destroyed && !req.complete ? requestAborted() : invalidJson();
}

/**
 * What a body parser in front of us has left on a request that it read: Express and alike put the value there.
 *
 * @returns the text to decode; `undefined` when nothing has read the request
 * @throws {Error} it was read and nothing was left
 */
export function readParsedBody(req: IncomingMessage & { body?: unknown }): string | undefined {
  if (!req.readableDidRead && !req.readableEnded) return undefined;
  const { body } = req;
  if (typeof body === "string") return body;
  if (Buffer.isBuffer(body)) return body.toString();
  if (body !== undefined) return JSON.stringify(body);
  throw new Error(consumed);
}

/** @throws {Error} the request was read, so that waiting for its body would never end */
export function assertUnread(req: IncomingMessage): void {
  if (req.readableDidRead || req.readableEnded) throw new Error(consumed);
}

/** @throws {Error} the request was read to its end, so that a reader would take it for empty */
export function assertUnended(req: IncomingMessage): void {
  if (req.readableEnded) throw new Error(consumed);
}

const consumed = "The request's body was read before the exposure got it: mount the exposure before body parsers.";
