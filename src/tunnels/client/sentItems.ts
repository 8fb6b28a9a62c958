import type { ItemsToSend } from "../../define/itemInput";
import { TunnelError } from "../../errors/tunnelError";
import { nextTurn } from "../../lib/nextTurn";
import { onAbort } from "../../lib/onAbort";
import { inOneLine } from "../protocol/items";
import type { ByteStream, ItemsBody } from "../protocol/wire";
import type { Carrier } from "./carrier";
import type { CallCodec } from "./codec";
import type { CallInput } from "./callInput";

/** A chunk is sent when so many characters wait, and when the event loop turns. */
const flushChars = 16_384;
/** An empty line is sent when nothing else was for so long, in ms. */
const heartbeatMs = 15_000;
const endLine = `{"ok":true}\n`;

/** What sending items takes, beside the items. */
export interface SentItemsParts {
  readonly codec: Pick<CallCodec, "encodeTask" | "encodeItem">;
  readonly accepts: Carrier["accepts"];
  /** Longest line, in bytes. */
  readonly lineBytes: number;
  /** Enters the contexts of the call. */
  readonly enter: <R>(fn: () => R) => R;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
}

type Result = IteratorResult<Uint8Array, undefined>;

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
  #unlink: () => void = () => {};
  readonly #encoder = new TextEncoder();
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  /** The item that was asked for. */
  #asked: Promise<IteratorResult<unknown>> | undefined;
  #text = "";
  #turn: Promise<void> | undefined;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  /** @throws {TypeError} there is nothing to iterate @throws {TunnelError} what sends the calls cannot send items */
  constructor(items: ItemsToSend<unknown>, parts: SentItemsParts) {
    const { items: isAccepted = "The carrier of this client sends no items." } = parts.accepts;
    if (isAccepted !== true) throw new TunnelError("ITEMS_UNSUPPORTED", isAccepted);
    const given = Object(items) as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
    if (typeof items === "string" || !(given[Symbol.asyncIterator] ?? given[Symbol.iterator])) {
      throw new TypeError("items of a call are an async iterable, as an async generator gives it.");
    }
    this.#items = items;
    this.#parts = parts;
    this.#unlink = onAbort(parts.signal, () => {
      this.#aborter.abort(parts.signal?.reason);
      this.stop();
    });
  }

  /** Aborts with the caller's signal, and with what its items failed with: then the call is to fail with that. */
  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** What the items failed with. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Writes the line of the input. @throws {TypeError} it is bytes, or holds files */
  async open(input: CallInput): Promise<this> {
    const body = await this.#parts.codec.encodeTask(input);
    if (body.kind !== "text") throw new TypeError("The input beside items can neither be a stream nor hold files.");
    this.#text = this.#checked(inOneLine(await body.read()));
    return this;
  }

  /** The call is over, and what was not sent is not needed. What fails meanwhile is no concern of the call. */
  stop(): void {
    this.#unlink();
    if (this.#isOver) return;
    this.#isOver = true;
    const { enter } = this.#parts;
    const iterator = this.#iterator ?? enter(() => iteratorOf(this.#items));
    void enter(async () => iterator.return?.()).catch(() => {});
  }

  readonly #chunks: AsyncIterator<Uint8Array, undefined> = {
    next: async () => {
      try {
        return await this.#nextChunk();
      } catch (error) {
        this.#failure ??= { error };
        this.#aborter.abort(error);
        this.stop();
        throw error;
      }
    },
    return: async () => {
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
    await nextTurn();
    for (;;) {
      const result = await this.#ask();
      if (this.#isOver) return ended;
      if (result === undefined) return this.#text === "" ? this.#chunkOf("\n") : this.#flush();
      this.#asked = undefined;
      if (result.done === true) {
        // Nothing is left to be closed.
        this.#isOver = true;
        this.#unlink();
        return this.#chunkOf(this.#text + endLine);
      }
      const line = this.#parts.codec.encodeItem(result.value);
      this.#text += this.#checked(inOneLine(typeof line === "string" ? line : await line));
      if (this.#text.length >= flushChars) return this.#flush();
    }
  }

  /** @returns `undefined` when there is none yet, and what waits is to be sent, or a heartbeat */
  #ask(): Promise<IteratorResult<unknown> | undefined> {
    this.#asked ??= this.#parts.enter(async () => (this.#iterator as AsyncIterator<unknown>).next());
    if (this.#text === "") return unlessQuiet(this.#asked);
    // One for all items of a chunk.
    this.#turn ??= nextTurn();
    return Promise.race([this.#asked, this.#turn as Promise<undefined>]);
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

  /** @throws {TunnelError} the line is too long */
  #checked(line: string): string {
    const { lineBytes } = this.#parts;
    const isTooLong =
      line.length * 3 > lineBytes && (line.length > lineBytes || this.#encoder.encode(line).byteLength > lineBytes);
    if (!isTooLong) return line + "\n";
    throw new TunnelError(
      "ITEM_TOO_LARGE",
      `An item to be sent, or the input beside it, takes more than ${lineBytes} bytes.`,
    );
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };

function iteratorOf(items: ItemsToSend<unknown>): AsyncIterator<unknown> | Iterator<unknown> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}

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
