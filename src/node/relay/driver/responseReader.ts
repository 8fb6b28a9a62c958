import type { ResponseHead } from "../../../relay/framePayloads";
import { ChunkedReader } from "./chunkedReader";
import { lengthOf, valueOf } from "./serviceRequest";

/** Longest head, in characters: no frame would hold a longer one. */
const maxHeadChars = 262_144;

/** What is read of a response. */
export interface ResponseHandler {
  /** Interim heads as well. Headers are names and values in turn, those of the connection included. */
  onResponseHead(head: ResponseHead): void;
  onBody(bytes: Buffer): void;
  /** Nothing follows. @param trailers names and values in turn */
  onWhole(trailers: readonly string[]): void;
}

/** Reads one response of a server in this process from what the server writes. */
export class ResponseReader {
  readonly #method: string;
  readonly #handler: ResponseHandler;
  #state: "head" | "length" | "chunks" | "untilClose" | "done" = "head";
  /** Of a head that has not arrived whole. */
  #text = "";
  #leftBytes = 0;
  #chunks: ChunkedReader | undefined;
  #isLast = false;

  /** @param method of the request, which decides whether a body follows */
  constructor(method: string, handler: ResponseHandler) {
    this.#method = method;
    this.#handler = handler;
  }

  /** Whether nothing is missing. */
  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Whether the server closes the connection behind it. */
  get isLast(): boolean {
    return this.#isLast;
  }

  /** @throws {Error} this is no response */
  push(chunk: Buffer | string, encoding: BufferEncoding): void {
    if (this.#state === "head") return this.#readHead(this.#text + asLatin1(chunk, encoding));
    this.#readBody(typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
  }

  /** The server ended the connection. @returns whether the response is whole */
  end(): boolean {
    if (this.#state === "untilClose") this.#end([]);
    return this.isDone;
  }

  #readHead(text: string): void {
    const headEnd = text.indexOf("\r\n\r\n");
    if (headEnd === -1) {
      if (text.length > maxHeadChars) throw new Error("The head of the response is too long.");
      this.#text = text;
      return;
    }
    this.#text = "";
    const head = parseHead(text.slice(0, headEnd));
    this.#frame(head);
    this.#handler.onResponseHead(head);
    if (this.#leftBytes === 0 && this.#state === "length") this.#end([]);
    const rest = text.slice(headEnd + 4);
    if (rest !== "") this.push(rest, "latin1");
  }

  /** RFC 9112 section 6.3: where the body ends. */
  #frame({ status, headers, contentLength }: ResponseHead): void {
    if (status === 101) this.#state = "untilClose";
    if (status < 200) return;
    this.#isLast = valueOf(headers, "connection")?.toLowerCase() === "close";
    const coding = valueOf(headers, "transfer-encoding");
    if (this.#method === "HEAD" || status === 204 || status === 304) this.#state = "length";
    else if (coding !== undefined && /\bchunked$/i.test(coding)) {
      this.#state = "chunks";
      this.#chunks = new ChunkedReader({
        onData: (bytes) => this.#handler.onBody(bytes),
        onEnd: (trailers) => this.#end(trailers),
      });
    } else {
      this.#state = contentLength === undefined ? "untilClose" : "length";
      this.#leftBytes = contentLength ?? 0;
    }
  }

  #readBody(bytes: Buffer): void {
    if (bytes.length === 0 || this.#state === "done") return;
    if (this.#state === "chunks") return this.#chunks?.push(bytes);
    if (this.#state === "untilClose") return this.#handler.onBody(bytes);
    const body = bytes.length > this.#leftBytes ? bytes.subarray(0, this.#leftBytes) : bytes;
    this.#leftBytes -= body.length;
    this.#handler.onBody(body);
    if (this.#leftBytes === 0) this.#end([]);
  }

  #end(trailers: readonly string[]): void {
    this.#state = "done";
    this.#handler.onWhole(trailers);
  }
}

/** Bytes as characters. Most of what servers write as text is ASCII, which is the same in every encoding. */
function asLatin1(chunk: Buffer | string, encoding: BufferEncoding): string {
  if (typeof chunk !== "string") return chunk.toString("latin1");
  return encoding === "latin1" || isAscii(chunk) ? chunk : Buffer.from(chunk, encoding).toString("latin1");
}

// eslint-disable-next-line no-control-regex -- every character that is one byte in UTF-8
const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text);

/** @throws {Error} the first line is no status line, or another one no header */
function parseHead(text: string): ResponseHead {
  const lines = text.split("\r\n");
  const first = lines[0] as string;
  if (!/^HTTP\/1\.[01] \d{3}(?: |$)/.test(first)) throw new Error("The server wrote no status line.");
  const headers: string[] = [];
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index] as string;
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error("A line of the head is no header.");
    headers.push(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return { status: Number(first.slice(9, 12)), reason: first.slice(13), headers, contentLength: lengthOf(headers) };
}
