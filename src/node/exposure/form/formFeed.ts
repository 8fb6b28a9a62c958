import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import {
  bufferFull,
  invalidMultipart,
  payloadTooLarge,
  requestAborted,
  requestTimeout,
  WireFailure,
} from "../../../errors/wireErrors";
import type { Watched } from "../../../tunnels/http/paceWatch";
import { ChunkList } from "../body/chunkList";
import { countReceived, type BodySource } from "../body/requestText";
import { isFormComplete, type Busboy, type FormParsers } from "./formParsers";

/** The request a form comes with, and how it is read. */
export interface RequestFormParts {
  readonly req: IncomingMessage;
  readonly source: BodySource;
  readonly parsers: FormParsers;
}

/** What is fed. */
export interface FeedOwner {
  /** How it ended is known: nothing more is read. */
  readonly isOver: boolean;
  /** Asked at each look of the watch: what arrived waits for a place, so that the sender has to wait, too. */
  isHeldBack(): boolean;
  onFailed(failure: WireFailure): void;
}

/** Brings the body of a request to the parser of its form, within the limits of size, memory and pace. */
export class FormFeed implements Watched {
  readonly #stream: Readable;
  readonly #parser: Busboy;
  readonly #parts: RequestFormParts;
  readonly #owner: FeedOwner;
  #smallChunks: ChunkList | undefined;
  #seenBytes = 0;
  /** NaN where it is not known before, or is that of the coding. */
  readonly #expectedBytes: number;
  /** Bytes that have come over the connection, where they differ from those that are parsed. */
  readonly #receivedBytes: (() => number) | undefined;
  /** Bytes that the parser may hold: those of a field that is not complete. */
  #parserBytes = 0;
  /** The last boundary was read. */
  #isLastSeen = false;
  /** Its end is not waited for. */
  #isEnding = false;

  constructor(stream: Readable, parser: Busboy, parts: RequestFormParts, owner: FeedOwner) {
    this.#stream = stream;
    this.#parser = parser;
    this.#parts = parts;
    this.#owner = owner;
    const { req } = parts;
    const isCoded = stream !== req;
    this.#receivedBytes = isCoded ? countReceived(req) : undefined;
    this.#expectedBytes = isCoded ? NaN : Number(req.headers["content-length"]);
  }

  start(): void {
    this.#parts.source.paceWatch.add(this);
    this.#parser.on("drain", () => this.#onDrain());
    // Not `pipe`: it brings as many listeners of its own, and what is counted needs this one anyway.
    this.#stream
      .on("data", this.#onData)
      .on("end", this.#onEnd)
      .on("error", (error) => this.#owner.onFailed(this.#failureOf(error)))
      .on("close", () => {
        if (!this.#stream.readableEnded && !this.#isEnding) this.#owner.onFailed(requestAborted());
      })
      .resume();
    // The connection may have been lost before a listener was attached.
    if (this.#stream.destroyed) this.#owner.onFailed(requestAborted());
  }

  /** Reads no more of the request. */
  stop(): void {
    this.#stream.off("data", this.#onData).pause();
  }

  /** The form is over: its request need not come on, and the parser holds nothing. */
  close(): void {
    this.leaveParser(this.#parserBytes);
    this.#parts.source.paceWatch.delete(this);
  }

  /** What the parser has passed on is no longer held by it: the bytes of files, and fields that are complete. */
  leaveParser(bytes = this.#parserBytes): void {
    const left = Math.min(bytes, this.#parserBytes);
    this.#parserBytes -= left;
    this.#parts.source.budget.release(left);
  }

  progress(): number | undefined {
    if (this.#owner.isHeldBack()) return undefined;
    return this.#receivedBytes?.() ?? this.#seenBytes;
  }

  onStalled(): void {
    this.#owner.onFailed(requestTimeout());
  }

  /**
   * What comes after the last boundary is not waited for: it may never end. It is thrown away with the reply. Of a coded
   * form the end is part of the coding.
   */
  endWhenComplete(): void {
    if (this.#isLastSeen || this.#owner.isOver) return;
    if (this.#receivedBytes !== undefined || !isFormComplete(this.#parser)) return;
    this.#isLastSeen = true;
    // Of nearly every request this was all, and its end comes by itself in this turn.
    if (this.#isAllSeen()) return;
    const { req } = this.#parts;
    process.nextTick(() => req.complete || setImmediate(() => this.#endEarly()));
  }

  #endEarly(): void {
    if (this.#owner.isOver || this.#stream.readableEnded) return;
    this.#isEnding = true;
    this.#parts.source.paceWatch.delete(this);
    this.stop();
    this.#parser.end();
  }

  #isAllSeen(): boolean {
    return this.#seenBytes === this.#expectedBytes;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#seenBytes += chunk.byteLength;
    if (this.#seenBytes > this.#parts.parsers.limits.totalSize) {
      this.#owner.onFailed(formTooLarge());
      return;
    }
    if (chunk.byteLength >= smallBytes || this.#isAllSeen()) {
      this.#parseSmall();
      this.#parse(chunk);
      return;
    }
    // What the socket brought at once comes in one turn, and each chunk would remain one in the files.
    if (this.#smallChunks === undefined) {
      this.#smallChunks = new ChunkList();
      setImmediate(() => this.#parseSmall());
    }
    this.#smallChunks.push(chunk);
  };

  #parseSmall(): void {
    const chunks = this.#smallChunks;
    this.#smallChunks = undefined;
    if (chunks !== undefined) this.#parse(chunks.join());
  }

  #parse(chunk: Buffer): void {
    if (this.#owner.isOver || this.#isEnding) return;
    if (!this.#enterParser(chunk.byteLength)) {
      this.#owner.onFailed(bufferFull());
      return;
    }
    if (!this.#parser.write(chunk) && !this.#owner.isOver) this.#stream.pause();
    this.endWhenComplete();
  }

  /** @returns false when there is no room for what the parser may hold: one field, since it drops what is no part */
  #enterParser(bytes: number): boolean {
    const { source, parsers } = this.#parts;
    const heldBytes = Math.min(bytes, Math.max(0, parsers.limits.fieldSize - this.#parserBytes));
    if (!source.budget.take(heldBytes)) return false;
    this.#parserBytes += heldBytes;
    return true;
  }

  #onDrain(): void {
    this.endWhenComplete();
    if (!this.#owner.isOver && !this.#isEnding) this.#stream.resume();
  }

  readonly #onEnd = (): void => {
    // Behind them, and not at once: what they have opened is to see them before it sees the end.
    if (this.#smallChunks !== undefined) setImmediate(this.#onEnd);
    else if (!this.#owner.isOver && !this.#isEnding) this.#parser.end();
  };

  #failureOf(error: Error): WireFailure {
    if (error instanceof WireFailure) return error;
    const { req } = this.#parts;
    return req.destroyed && !req.complete ? requestAborted() : invalidMultipart();
  }
}

const smallBytes = 1024;
const formTooLarge = () => payloadTooLarge("Form size limit exceeded");
