import type { MaybePromise } from "../../../lib/typeLevel";
import { LineReader } from "../../protocol/lineReader";
import type { ByteStream } from "../../protocol/wire";
import type { Failures } from "./subscriptionParts";

/** One connection that brings events. */
export interface LinkParts extends Pick<Failures, "fail"> {
  readonly stream: ByteStream | ReadableStream<Uint8Array>;
  readonly lineBytes: number;
  /** How long no byte may come while some are waited for, in ms. */
  readonly silenceMs: number;
  readonly parse: (line: string) => MaybePromise<unknown>;
}

/** A line, as an object, and how long it was. */
export interface ReadLine {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly chars: number;
  /** The same once more, for another reader. */
  again(): MaybePromise<unknown>;
}

/** Reads the lines of one connection. */
export class Link {
  readonly #parts: LinkParts;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #reader: LineReader;
  #lines: readonly string[] = [];
  #at = 0;
  #tooLong: Error | undefined;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#chunks = chunksOf(parts.stream);
    const { lineBytes, fail } = parts;
    this.#reader = new LineReader(
      lineBytes,
      () => (this.#tooLong = fail("ITEM_TOO_LARGE", `A line of the subscription takes more than ${lineBytes} bytes.`)),
    );
  }

  /** The next line. @throws {TunnelError} (as a rejection) `STREAM_LOST`, `INVALID_RESPONSE`, `ITEM_TOO_LARGE` */
  async next(): Promise<ReadLine> {
    while (this.#at >= this.#lines.length) {
      this.#lines = this.#linesOf(await this.#nextChunk());
      this.#at = 0;
    }
    const line = this.#lines[this.#at++] as string;
    const { parse } = this.#parts;
    let fields: unknown;
    try {
      fields = await parse(line);
    } catch (error) {
      throw this.invalid(error);
    }
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) throw this.invalid();
    return { fields: fields as ReadLine["fields"], chars: line.length, again: () => parse(line) };
  }

  /** Never rejects. */
  async close(): Promise<void> {
    try {
      await this.#chunks.return?.();
    } catch {
      // It is given up.
    }
  }

  invalid(cause?: unknown): Error {
    return this.#parts.fail("INVALID_RESPONSE", "A line of the subscription makes no sense.", cause);
  }

  #linesOf(chunk: Uint8Array): string[] {
    try {
      return this.#reader.push(chunk);
    } catch (error) {
      // Bytes that are no text, or what a line over the limit is refused with.
      throw error === this.#tooLong ? error : this.invalid(error);
    }
  }

  async #nextChunk(): Promise<Uint8Array> {
    let chunk: IteratorResult<Uint8Array> | undefined;
    try {
      chunk = await this.#unlessSilent(this.#chunks.next());
    } catch (error) {
      throw this.#lost("its connection broke", error);
    }
    if (chunk === undefined) throw this.#lost(`nothing came for ${this.#parts.silenceMs} ms`);
    if (chunk.done === true) throw this.#lost("it ended without the line that ends it");
    return chunk.value;
  }

  #lost(how: string, cause?: unknown): Error {
    return this.#parts.fail("STREAM_LOST", `The subscription was lost: ${how}.`, cause);
  }

  #unlessSilent<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve(undefined), this.#parts.silenceMs);
      const settle =
        <V>(how: (value: V) => void) =>
        (value: V): void => {
          clearTimeout(timer);
          how(value);
        };
      work.then(settle(resolve), settle(reject));
    });
  }
}

function chunksOf(stream: ByteStream | ReadableStream<Uint8Array>): AsyncIterator<Uint8Array> {
  // Not every browser can iterate its streams.
  if (!("getReader" in stream)) return stream[Symbol.asyncIterator]();
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<Uint8Array>>,
    async return() {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}
