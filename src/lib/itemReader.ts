// Imports types alone: where this is a file of its own, bundlers would move what it shares with the rest into a further file,
// with which pages would begin.
import type { ItemReading, ItemStreamEnd } from "./itemStream";

/** Where the items of a stream come from, once its call is under way. */
export interface ItemSource {
  next(): Promise<IteratorResult<unknown, unknown>>;
  /** Gives the call up. Resolves once it has released what it held, and never rejects. */
  cancel(reason: unknown): Promise<void>;
}

/** What a stream is read from. */
export interface ItemCall {
  /** Begins the call; `signal` aborts when it is given up before it has begun. */
  begin(signal: AbortSignal): Promise<ItemSource>;
  /** The signal of the caller: once it aborts, `next` rejects with its reason. */
  readonly signal: AbortSignal | undefined;
}

type Result = IteratorResult<unknown, unknown>;

/** Reads the items of one call, which begins with the first `next`. */
export class ItemReader implements ItemReading {
  readonly #call: ItemCall;
  readonly #end: ItemStreamEnd;
  readonly #opening = new AbortController();
  /** Ends what waits when the caller aborts. */
  readonly #waiting = new Set<(reason: unknown) => void>();
  #beginning: Promise<ItemSource> | undefined;
  #source: ItemSource | undefined;
  #isOver = false;

  constructor(call: ItemCall, end: ItemStreamEnd) {
    this.#call = call;
    this.#end = end;
    call.signal?.addEventListener("abort", this.#onAbort);
  }

  async next(): Promise<Result> {
    if (this.#isOver) return ended;
    try {
      this.#call.signal?.throwIfAborted();
      this.#source ??= await this.#unlessAborted((this.#beginning ??= this.#call.begin(this.#opening.signal)));
      const result = await this.#unlessAborted(this.#source.next());
      // It was left meanwhile.
      if (this.#isOver) return ended;
      if (result.done === true) {
        this.#finish();
        this.#end.resolve(result.value);
      }
      return result;
    } catch (error) {
      // What breaks off because it was left is no failure.
      if (this.#isOver) return ended;
      this.#finish();
      this.#end.reject(error);
      throw error;
    }
  }

  async return(): Promise<Result> {
    if (this.#isOver) return ended;
    this.#finish();
    this.#end.resolve();
    await this.#cancel(new DOMException("The reader of the items has left.", "AbortError"));
    return ended;
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#call.signal?.reason;
    for (const reject of this.#waiting) reject(reason);
    void this.#cancel(reason);
  };

  #unlessAborted<T>(work: Promise<T>): Promise<T> {
    if (this.#call.signal === undefined) return work;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      const settle =
        <V>(how: (value: V) => void) =>
        (value: V): void => {
          this.#waiting.delete(reject);
          how(value);
        };
      work.then(settle(resolve), settle(reject));
    });
  }

  #finish(): void {
    this.#isOver = true;
    this.#call.signal?.removeEventListener("abort", this.#onAbort);
  }

  async #cancel(reason: unknown): Promise<void> {
    this.#opening.abort(reason);
    // What has not begun by now does not become a stream any more, or becomes one that is cancelled.
    const source = await this.#beginning?.catch(() => undefined);
    await source?.cancel(reason);
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };
