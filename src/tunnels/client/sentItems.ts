// Imports types alone: where this is a file of its own, bundlers would move what it shares with the rest into a further file,
// with which pages would begin.
import type { ItemsToSend } from "../../define/itemInput";
import type { ByteStream, ItemsBody } from "../protocol/wire";
import type { CallInput } from "./callInput";
import type { Carrier } from "./carrier";
import type { CallCodec } from "./codec";

/** A chunk is sent when so many characters wait, and when the event loop turns. */
const flushChars = 16_384;
/** An empty line is sent when nothing else was for so long, in ms. */
const heartbeatMs = 15_000;
/** Longest line, in bytes. */
const lineBytes = 1_048_576;
const endLine = `{"ok":true}\n`;

/** What sending items takes, beside the items. */
export interface SentItemsParts {
  readonly codec: Pick<CallCodec, "encodeTask" | "encodeItem">;
  readonly accepts: Carrier["accepts"];
  /** Enters the contexts of the call. */
  readonly enter: <R>(fn: () => R) => R;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** Makes an error of the client itself. */
  readonly fail: (code: string, message: string, cause?: unknown) => Error;
}

type Result = IteratorResult<Uint8Array, undefined>;
/** Makes a call whose body are the items. */
type RunTask = (
  id: string,
  input: CallInput,
  call: { readonly signal: AbortSignal },
  sent: SentItems,
) => Promise<unknown>;

/**
 * The items of a caller on their way out, as lines behind the line of the input. An item is asked for when those before it were
 * taken; after each chunk the event loop turns, or a hot source would starve the process.
 */
export class SentItems implements ItemsBody {
  readonly kind = "items";
  readonly stream: ByteStream = { [Symbol.asyncIterator]: () => this.#chunks };
  readonly #parts: SentItemsParts;
  readonly #items: ItemsToSend<unknown>;
  readonly #aborter = new AbortController();
  readonly #encoder = new TextEncoder();
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  /** The item that was asked for. */
  #asked: Promise<IteratorResult<unknown>> | undefined;
  #text = "";
  #turn: Promise<undefined> | undefined;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  /** @throws {TypeError} there is nothing to iterate @throws {TunnelError} what sends the calls cannot send items */
  constructor(items: ItemsToSend<unknown>, parts: SentItemsParts) {
    const refusal = refusalOf(parts.accepts);
    if (refusal !== undefined) throw parts.fail("ITEMS_UNSUPPORTED", refusal);
    const given = Object(items) as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
    if (typeof items === "string" || !(given[Symbol.asyncIterator] ?? given[Symbol.iterator])) {
      throw new TypeError("items of a call are an async iterable, as an async generator gives it.");
    }
    this.#items = items;
    this.#parts = parts;
    if (parts.signal?.aborted === true) this.#onAbort();
    else parts.signal?.addEventListener("abort", this.#onAbort);
  }

  /** Aborts with the caller's signal, and with what its items failed with: then the call is to fail with that. */
  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** Makes a call that sends them: it fails with what they fail with, and they are closed when it does. */
  around(next: RunTask): (id: string, input: CallInput, call: object) => Promise<unknown> {
    return async (id, input, call) => {
      try {
        return await next(id, input, { ...call, signal: this.signal }, this);
      } catch (error) {
        this.stop();
        throw this.failureOf(id, error);
      }
    };
  }

  /** What a call that failed is to fail with. */
  failureOf(id: string, error: unknown): unknown {
    if (this.#failure !== undefined) return this.#failure.error;
    // Servers before 6.0 read the lines as one document, and of it no more than such a one may have.
    const { code } = (error ?? {}) as { readonly code?: unknown };
    if (code !== "INVALID_JSON" && code !== "PAYLOAD_TOO_LARGE") return error;
    const message = `Task "${id}" took no items: its server is older, or something before it reads bodies.`;
    return this.#parts.fail("ITEMS_NOT_TAKEN", message, error);
  }

  /** Writes the line of the input. @throws {TypeError} it is bytes, or holds files */
  async open(input: CallInput): Promise<this> {
    const body = await this.#parts.codec.encodeTask(input);
    if (body.kind !== "text") throw new TypeError("The input beside items can neither be a stream nor hold files.");
    this.#text = this.#lineOf(await body.read());
    return this;
  }

  /** The call is over, and what was not sent is not needed. What fails meanwhile is no concern of the call. */
  stop(): void {
    this.#parts.signal?.removeEventListener("abort", this.#onAbort);
    if (this.#isOver) return;
    this.#isOver = true;
    const { enter } = this.#parts;
    const iterator = this.#iterator ?? enter(() => iteratorOf(this.#items));
    void enter(async () => iterator.return?.()).catch(() => {});
  }

  /** For fetch: sent at the pace of the connection. */
  toWeb(): ReadableStream<Uint8Array> {
    return new ReadableStream(
      {
        pull: async (controller) => {
          const { done, value } = await this.#chunks.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        },
        cancel: () => this.stop(),
      },
      { highWaterMark: 0 },
    );
  }

  readonly #onAbort = (): void => {
    this.#aborter.abort(this.#parts.signal?.reason);
    this.stop();
  };

  readonly #chunks = {
    next: async (): Promise<Result> => {
      try {
        return await this.#nextChunk();
      } catch (error) {
        this.#failure ??= { error };
        this.#aborter.abort(error);
        this.stop();
        throw error;
      }
    },
    return: async (): Promise<Result> => {
      this.stop();
      return ended;
    },
  };

  async #nextChunk(): Promise<Result> {
    if (this.#isOver) return ended;
    // The input goes first, whatever the items do.
    if (this.#iterator === undefined) {
      this.#iterator = this.#parts.enter(() => iteratorOf(this.#items));
      return this.#flush();
    }
    await turn();
    for (;;) {
      const result = await this.#ask();
      if (this.#isOver) return ended;
      if (result === undefined) return this.#text === "" ? this.#chunkOf("\n") : this.#flush();
      this.#asked = undefined;
      if (result.done === true) {
        // Nothing is left to be closed.
        this.#isOver = true;
        this.stop();
        return this.#chunkOf(this.#text + endLine);
      }
      const line = this.#parts.codec.encodeItem(result.value);
      this.#text += this.#lineOf(typeof line === "string" ? line : await line);
      if (this.#text.length >= flushChars) return this.#flush();
    }
  }

  /** @returns `undefined` when there is none yet, and what waits is to be sent, or a heartbeat */
  #ask(): Promise<IteratorResult<unknown> | undefined> {
    this.#asked ??= this.#parts.enter(async () => (this.#iterator as AsyncIterator<unknown>).next());
    if (this.#text === "") return unlessQuiet(this.#asked);
    // One for all items of a chunk.
    return Promise.race([this.#asked, (this.#turn ??= turn())]);
  }

  #flush(): Result {
    const text = this.#text;
    this.#text = "";
    this.#turn = undefined;
    return this.#chunkOf(text);
  }

  #chunkOf(text: string): Result {
    return { done: false, value: this.#encoder.encode(text) };
  }

  /** A document as one line, since serializers may indent. @throws {TunnelError} it is too long */
  #lineOf(document: string): string {
    const line = document.includes("\n") ? JSON.stringify(JSON.parse(document)) : document;
    const isTooLong =
      line.length * 3 > lineBytes && (line.length > lineBytes || this.#encoder.encode(line).byteLength > lineBytes);
    if (!isTooLong) return line + "\n";
    throw this.#parts.fail(
      "ITEM_TOO_LARGE",
      `An item to be sent, or the input beside it, takes more than ${lineBytes} bytes.`,
    );
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Why items cannot be sent this way. */
function refusalOf({ items }: Carrier["accepts"]): string | undefined {
  if (items === undefined)
    return "This client sends no items: take createHttpClient, or a client of @bluelibs/runner/node.";
  if (typeof items === "object") return items.refusal;
  // Browsers send streams over HTTP/2 alone, and read no reply before the last byte was sent.
  if (items === true || !isPage()) return undefined;
  return "A page cannot send items: browsers send no stream beside a reply. Send a list of them as the input.";
}

/** Whether this is a page, or a worker of one. */
const isPage = (): boolean =>
  "document" in globalThis || ("importScripts" in globalThis && !("Deno" in globalThis || "Bun" in globalThis));

function iteratorOf(items: ItemsToSend<unknown>): AsyncIterator<unknown> | Iterator<unknown> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}

/** Resolves once the event loop has turned. Platforms that lack `setImmediate` have timers of 0 ms. */
const turn = (): Promise<undefined> =>
  new Promise((resolve) => {
    const { setImmediate: onTurn = setTimeout } = globalThis as { setImmediate?: (callback: () => void) => unknown };
    onTurn(() => resolve(undefined));
  });

/** @returns `undefined` when a heartbeat is due first */
function unlessQuiet<T>(work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, heartbeatMs, undefined);
    (timer as { unref?: () => void }).unref?.();
    const settle =
      <V>(how: (value: V) => void) =>
      (value: V): void => {
        clearTimeout(timer);
        how(value);
      };
    work.then(settle(resolve), settle(reject));
  });
}
