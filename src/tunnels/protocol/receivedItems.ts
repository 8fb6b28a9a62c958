// Imports types, and what nothing else of a page has: where this is a file of its own, bundlers would move what it shares with
// the rest into a further file, with which pages would begin.
import type { ItemSource } from "../../lib/itemReader";
import type { MaybePromise } from "../../lib/typeLevel";
import { chunksOf } from "./chunksOf";
import { LineReader } from "./lineReader";
import type { ByteStream } from "./wire";

/** What reading items takes, beside the bytes. */
export interface ReceivedItemsParts {
  readonly lineBytes: number;
  /** How many bytes of empty lines, which are heartbeats, may come in a row. Default: any number. */
  readonly emptyBytes?: number | undefined;
  /** How long no byte may come while some are waited for, in ms. */
  readonly silenceMs: number;
  readonly parse: (line: string) => MaybePromise<unknown>;
  /** The error that the server says the stream ends with. */
  readonly failureOf: (error: unknown) => Error;
  /** Makes an error of the stream itself. */
  readonly fail: (
    code: "STREAM_LOST" | "INVALID_RESPONSE" | "ITEM_TOO_LARGE",
    message: string,
    cause?: unknown,
  ) => Error;
  readonly onEnd: () => void;
}

type Result = IteratorResult<unknown, unknown>;

/** How long the rest of a reply may take after the line that ends it, for its connection to be kept, in ms. */
const restMs = 1000;

/** The items of a reply. */
export class ReceivedItems implements ItemSource {
  readonly #parts: ReceivedItemsParts;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #reader: LineReader;
  #lines: readonly string[] = [];
  #at = 0;
  #pulling: Promise<void> | undefined;
  #isOver = false;
  #tooLong: Error | undefined;

  constructor(stream: ByteStream | ReadableStream<Uint8Array>, parts: ReceivedItemsParts) {
    this.#parts = parts;
    this.#chunks = chunksOf(stream);
    const { lineBytes, fail } = parts;
    this.#reader = new LineReader(
      lineBytes,
      () => (this.#tooLong = fail("ITEM_TOO_LARGE", `A line of the stream takes more than ${lineBytes} bytes.`)),
    );
  }

  /** The first line, whatever it says: of a request, the input. */
  async head(): Promise<unknown> {
    await (this.#pulling ??= this.#pull());
    this.#at = 1;
    try {
      return await this.#parts.parse(this.#lines[0] as string);
    } catch (error) {
      return this.#refuse(error);
    }
  }

  next(): Promise<Result> {
    if (this.#isOver) return Promise.resolve(ended);
    const line = this.#lines[this.#at];
    if (line === undefined) return (this.#pulling ??= this.#pull()).then(() => this.next());
    this.#at += 1;
    try {
      const fields = this.#parts.parse(line);
      return fields instanceof Promise ? fields.then(this.#give, this.#refuse) : this.#give(fields);
    } catch (error) {
      return this.#refuse(error);
    }
  }

  cancel(): Promise<void> {
    this.#finish();
    void this.#discard();
    return Promise.resolve();
  }

  /** Waits for lines. */
  async #pull(): Promise<void> {
    try {
      for (let emptyBytes = 0; ;) {
        const chunk = await this.#nextChunk();
        this.#lines = this.#linesOf(chunk);
        this.#at = 0;
        if (this.#lines.length > 0) return;
        // Heartbeats, of which no sender has so many.
        emptyBytes = this.#reader.isMidLine ? 0 : emptyBytes + chunk.byteLength;
        if (emptyBytes > (this.#parts.emptyBytes ?? Infinity)) throw this.#invalid(undefined);
      }
    } catch (error) {
      this.#finish();
      void this.#discard();
      throw error;
    } finally {
      this.#pulling = undefined;
    }
  }

  #linesOf(chunk: Uint8Array): string[] {
    try {
      return this.#reader.push(chunk);
    } catch (error) {
      // Bytes that are no text, or what a line over the limit is refused with.
      throw error === this.#tooLong ? error : this.#invalid(error);
    }
  }

  async #nextChunk(): Promise<Uint8Array> {
    let chunk: IteratorResult<Uint8Array> | Error;
    try {
      chunk = await this.#unlessSilent(this.#chunks.next());
    } catch (error) {
      throw this.#lost("its connection broke", error);
    }
    if (chunk instanceof Error) throw chunk;
    if (chunk.done === true) throw this.#lost("it ended without the line that ends it");
    return chunk.value;
  }

  readonly #give = (fields: unknown): Promise<Result> => {
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return this.#refuse();
    if (Object.hasOwn(fields, "item")) {
      return Promise.resolve({ done: false, value: (fields as { readonly item: unknown }).item });
    }
    const { ok, result, error } = fields as {
      readonly ok?: unknown;
      readonly result?: unknown;
      readonly error?: unknown;
    };
    // Lines of later versions.
    if (typeof ok !== "boolean") return this.next();
    this.#finish();
    void this.#readRest();
    return ok ? Promise.resolve({ done: true, value: result }) : Promise.reject(this.#parts.failureOf(error));
  };

  readonly #refuse = (cause?: unknown): Promise<never> => {
    this.#finish();
    void this.#discard();
    return Promise.reject(this.#invalid(cause));
  };

  #invalid(cause: unknown): Error {
    return this.#parts.fail("INVALID_RESPONSE", "A line of the stream makes no sense.", cause);
  }

  #lost(how: string, cause?: unknown): Error {
    return this.#parts.fail("STREAM_LOST", `The stream was lost: ${how}.`, cause);
  }

  #unlessSilent<T>(work: Promise<T>): Promise<T | Error> {
    const { silenceMs } = this.#parts;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve(this.#lost(`nothing came for ${silenceMs} ms`)), silenceMs);
      const settle =
        <V>(how: (value: V) => void) =>
        (value: V): void => {
          clearTimeout(timer);
          how(value);
        };
      work.then(settle(resolve), settle(reject));
    });
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#lines = [];
    this.#parts.onEnd();
  }

  /** The end of the reply, which usually comes with its last line: its connection can then be used again. */
  async #readRest(): Promise<void> {
    const timer = setTimeout(() => void this.#discard(), restMs);
    try {
      const { done } = await this.#chunks.next();
      if (done !== true) await this.#discard();
    } catch {
      // The stream is complete whatever becomes of the connection.
    } finally {
      clearTimeout(timer);
    }
  }

  async #discard(): Promise<void> {
    try {
      await this.#chunks.return?.();
    } catch {
      // It is given up.
    }
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };
