import { unstreamableResult } from "../../errors/wireErrors";
import { asBytes, describeKind } from "../../lib/bytes";
import { captureSlots } from "../../platform/contextScope";
import type { ByteStream } from "../protocol/wire";
import type { StreamResult } from "./streamResult";

/** A streamed result on its way out. */
export interface OpenedStream extends ByteStream {
  /**
   * Resolves when the first piece is there, which may be an empty one, or the stream has ended. Rejects when it failed
   * before that, while the reply can still say so.
   */
  start(): Promise<void>;
  /** Releases what it reads from. What fails while it does is no concern of the reply. */
  destroy(): void;
}

/**
 * Opens what a task streams. Called with the slots of the call, which all that runs for the stream later sees, too.
 *
 * @param streaming who streams, for messages: `Task app.report`
 */
export type OpenStream = (result: StreamResult, streaming: string) => OpenedStream;

export const openStream: OpenStream = (result, streaming) =>
  new IteratedStream(result.stream[Symbol.asyncIterator](), new PieceCheck(result, streaming));

/** Holds a stream to what may be sent: bytes or text, and as many of them as were announced. */
export class PieceCheck {
  readonly #streaming: string;
  readonly #declaredBytes: number | undefined;
  #seenBytes = 0;

  /** @throws {TypeError} the announced length is no number of bytes */
  constructor({ headers }: StreamResult, streaming: string) {
    this.#streaming = streaming;
    const declared = headers["content-length"];
    if (declared === undefined) return;
    if (!/^\d{1,15}$/.test(String(declared))) {
      throw new TypeError(
        `${streaming} declares a content-length of "${String(declared)}", which is no number of bytes.`,
      );
    }
    this.#declaredBytes = Number(declared);
  }

  /** A piece as bytes. @throws {WireFailure} `UNSTREAMABLE_RESULT` @throws {Error} more than was announced */
  take(piece: unknown): Uint8Array {
    const bytes = asBytes(piece);
    if (bytes === undefined) throw unstreamableResult(this.#streaming, describeKind(piece));
    this.#seenBytes += bytes.byteLength;
    if (this.#declaredBytes !== undefined && this.#seenBytes > this.#declaredBytes) {
      throw new Error(`${this.#streaming} streamed more than the ${this.#declaredBytes} bytes it declared.`);
    }
    return bytes;
  }

  /** @throws {Error} less than was announced */
  end(): void {
    if (this.#declaredBytes === undefined || this.#seenBytes === this.#declaredBytes) return;
    throw new Error(`${this.#streaming} streamed ${this.#seenBytes} of the ${this.#declaredBytes} bytes it declared.`);
  }
}

/** Not a generator: one that has not started skips its `finally`, and would not release what it reads. */
class IteratedStream implements OpenedStream, AsyncIterator<Uint8Array> {
  readonly #pieces: AsyncIterator<unknown>;
  readonly #check: PieceCheck;
  readonly #enter = captureSlots();
  #first: IteratorResult<Uint8Array> | undefined;

  constructor(pieces: AsyncIterator<unknown>, check: PieceCheck) {
    this.#pieces = pieces;
    this.#check = check;
  }

  async start(): Promise<void> {
    this.#first = await this.#pull();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const first = this.#first;
    if (first === undefined) return this.#pull();
    this.#first = undefined;
    return first;
  }

  destroy(): void {
    this.return().catch(() => {});
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#enter(() => this.#pieces.return?.());
    return ended;
  }

  async #pull(): Promise<IteratorResult<Uint8Array>> {
    const { done, value } = await this.#enter(() => this.#pieces.next());
    if (done) {
      this.#check.end();
      return ended;
    }
    try {
      return { done: false, value: this.#check.take(value) };
    } catch (error) {
      await this.return();
      throw error;
    }
  }
}

const ended = { done: true, value: undefined } as const;
