import type { ByteBudget } from "../../../lib/byteBudget";
import { onNextTurn } from "../../../lib/nextTurn";
import { batchContentType } from "../../protocol/batch";
import type { WireResponse } from "../../protocol/wire";

type Result = IteratorResult<Uint8Array, undefined>;

/** Replies that are kept even where the budget is spent, refusals among them, in characters. */
const uncountedChars = 4096;

/**
 * The replies to the calls of one batch, in the order in which they come.
 *
 * Calls that all end within one turn of the loop are answered by one text. Otherwise the reply begins with what is there, and
 * what comes later leaves once per turn, at the pace of its reader.
 */
export class BatchReply implements AsyncIterableIterator<Uint8Array, undefined> {
  /** Resolves once it is known how the reply is sent. */
  readonly response: Promise<WireResponse>;
  #respond!: (response: WireResponse) => void;
  readonly #budget: ByteBudget | undefined;
  readonly #onComplete: () => void;
  /** Calls that are not answered. */
  #open: number;
  #text = "";
  /** What waits, as far as the budget counts it. */
  #heldChars = 0;
  #isStreaming = false;
  /** The reader has left. */
  #isLeft = false;
  #isTurnAwaited = false;
  #reader: ((result: Result) => void) | undefined;

  /**
   * @param count how many calls are going to be answered
   * @param onComplete called once they are
   */
  constructor(count: number, budget: ByteBudget | undefined, onComplete: () => void) {
    this.#open = count;
    this.#budget = budget;
    this.#onComplete = onComplete;
    this.response = new Promise((resolve) => (this.#respond = resolve));
  }

  /** Whether there is room for a reply until the reader takes it. */
  fits(text: string): boolean {
    return text.length <= uncountedChars || this.#budget === undefined || this.#budget.fits(text.length);
  }

  /** Answers a call. */
  add(n: number, status: number, text: string): void {
    this.#open -= 1;
    if (this.#open === 0) this.#onComplete();
    if (this.#isLeft) return;
    this.#text += `${n} ${status} ${text}\n`;
    // The last reply of a turn takes the others along.
    if (this.#open === 0) return this.#flush();
    if (this.#budget !== undefined) {
      this.#budget.add(text.length);
      this.#heldChars += text.length;
    }
    if (this.#isTurnAwaited) return undefined;
    this.#isTurnAwaited = true;
    onNextTurn(() => {
      this.#isTurnAwaited = false;
      this.#flush();
    });
    return undefined;
  }

  next(): Promise<Result> {
    if (this.#text !== "" && !this.#isTurnAwaited) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#isOver) return Promise.resolve(ended);
    return new Promise((resolve) => (this.#reader = resolve));
  }

  /** The reader has left, or takes no more. */
  return(): Promise<Result> {
    this.#isLeft = true;
    this.#takeText();
    this.#reader?.(ended);
    this.#reader = undefined;
    return Promise.resolve(ended);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get #isOver(): boolean {
    return this.#isLeft || (this.#open === 0 && this.#text === "");
  }

  #flush(): void {
    if (this.#text === "") return;
    if (!this.#isStreaming) {
      this.#isStreaming = true;
      const body =
        this.#open === 0
          ? ({ kind: "text", text: this.#takeText() } as const)
          : ({ kind: "stream", stream: this } as const);
      this.#respond({ status: 200, contentType: batchContentType, headers: uncached, body });
      return;
    }
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    reader({ done: false, value: this.#take() });
  }

  #take(): Uint8Array {
    return new TextEncoder().encode(this.#takeText());
  }

  #takeText(): string {
    const text = this.#text;
    this.#text = "";
    this.#budget?.release(this.#heldChars);
    this.#heldChars = 0;
    return text;
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Proxies must neither keep replies nor hold lines back. */
const uncached = { "cache-control": "no-store, no-transform", "x-accel-buffering": "no" };
