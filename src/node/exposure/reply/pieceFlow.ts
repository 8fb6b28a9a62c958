import type { Readable } from "node:stream";
import { captureSlots } from "../../../platform/contextScope";
import type { ByteStream } from "../../../tunnels/protocol/wire";
import { openStream, PieceCheck, type OpenedStream } from "../../../tunnels/server/openStream";
import { discardStream, type StreamResult } from "../../../tunnels/server/streamResult";
import { streamKindOf } from "../../../lib/streamKind";

/** Takes the pieces of a stream as they come. */
export interface PieceSink {
  /** @returns false when the next piece is to wait for `resume` */
  write(piece: Uint8Array): boolean;
  end(): void;
  fail(error: unknown): void;
}

/** A stream whose pieces flow into a sink, at its pace. */
export interface PieceFlow {
  /** Takes the place of the sink before. */
  flowTo(sink: PieceSink): void;
  resume(): void;
}

/** Opens a streamed result; what is a stream of Node is not iterated, which would take half as long again. */
export const openNodeStream = (result: StreamResult, streaming: string): OpenedStream =>
  streamKindOf(result.stream) === "node"
    ? new ReadablePieces(result.stream as unknown as Readable, new PieceCheck(result, streaming))
    : openStream(result, streaming);

export const flowOf = (stream: ByteStream): PieceFlow =>
  stream instanceof ReadablePieces ? stream : new IteratedFlow(stream[Symbol.asyncIterator]());

/** How a stream ended. */
type Outcome = { readonly error?: unknown; readonly isFailure: boolean };

/** The pieces of one of Node's streams. */
export class ReadablePieces implements OpenedStream, PieceFlow {
  readonly #source: Readable;
  readonly #check: PieceCheck | undefined;
  readonly #enter = captureSlots();
  #sink: PieceSink | undefined;
  #first: Uint8Array | undefined;
  #outcome: Outcome | undefined;

  constructor(source: Readable, check?: PieceCheck) {
    this.#source = source;
    this.#check = check;
    // However it ends badly, with an error, a value that is none or without any sign, it closes without having ended.
    source
      .on("end", this.#onEnd)
      .on("error", (error: unknown) => this.#fail(error ?? cutShort()))
      .on("close", () => this.#fail(cutShort()));
    if (source.readableEnded) this.#fail(new Error("The stream was read to its end before it could be sent."));
    else if (source.destroyed) this.#fail(source.errored ?? cutShort());
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.flowTo({
        write: (piece) => {
          this.#first = piece;
          resolve();
          return false;
        },
        end: resolve,
        fail: reject,
      }),
    );
  }

  flowTo(sink: PieceSink): void {
    const isNew = this.#sink === undefined;
    const first = this.#first;
    this.#sink = sink;
    this.#first = undefined;
    if (this.#outcome?.isFailure) return tell(sink, this.#outcome);
    const isPaused = first !== undefined && !sink.write(first);
    if (this.#outcome !== undefined) return tell(sink, this.#outcome);
    if (isNew) this.#enter(() => this.#source.on("data", this.#onData));
    if (!isPaused) this.resume();
  }

  resume(): void {
    if (this.#outcome === undefined) this.#enter(() => this.#source.resume());
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () =>
        new Promise((resolve, reject) =>
          this.flowTo({
            write: (value) => {
              resolve({ done: false, value });
              return false;
            },
            end: () => resolve(ended),
            fail: reject,
          }),
        ),
      return: () => {
        this.destroy();
        return Promise.resolve(ended);
      },
    };
  }

  destroy(): void {
    this.#fail(cutShort());
    discardStream(this.#source);
  }

  readonly #onData = (chunk: unknown): void => {
    if (this.#outcome !== undefined) return;
    try {
      const piece = this.#check === undefined ? (chunk as Uint8Array) : this.#check.take(chunk);
      if (!this.#sink?.write(piece)) this.#source.pause();
    } catch (error) {
      this.#fail(error);
      discardStream(this.#source);
    }
  };

  readonly #onEnd = (): void => {
    try {
      this.#check?.end();
      this.#settle({ isFailure: false });
    } catch (error) {
      this.#fail(error);
    }
  };

  #fail(error: unknown): void {
    this.#settle({ isFailure: true, error });
  }

  #settle(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    if (this.#sink !== undefined) tell(this.#sink, outcome);
  }
}

/** Lets what can only be iterated flow. */
class IteratedFlow implements PieceFlow {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #sink: PieceSink | undefined;
  #isPulling = false;

  constructor(pieces: AsyncIterator<Uint8Array>) {
    this.#pieces = pieces;
  }

  flowTo(sink: PieceSink): void {
    this.#sink = sink;
    this.resume();
  }

  resume(): void {
    if (!this.#isPulling && this.#sink !== undefined) void this.#pull(this.#sink);
  }

  async #pull(sink: PieceSink): Promise<void> {
    this.#isPulling = true;
    try {
      let isWanted = true;
      while (isWanted) {
        const { done, value } = await this.#pieces.next();
        if (done) return sink.end();
        isWanted = sink.write(value);
      }
    } catch (error) {
      sink.fail(error);
    } finally {
      this.#isPulling = false;
    }
  }
}

const tell = (sink: PieceSink, { isFailure, error }: Outcome): void => (isFailure ? sink.fail(error) : sink.end());
const cutShort = (): Error => new Error("The stream was closed before its end.");
const ended = { done: true, value: undefined } as const;
