/**
 * The items that a streamed task yields, and what it returns.
 *
 * Nothing runs before the first item is asked for. It can be iterated once; leaving the loop cancels the call.
 */
// An `AsyncIterable` of two type arguments, which TypeScript knows since 5.6: spelt out for versions before.
export interface ItemStream<Item, Result = void> {
  /**
   * What the task returned, once the items were read to their end; `undefined` after leaving early. Rejects with what the
   * loop rejects with, which counts as handled.
   */
  readonly result: Promise<Result | undefined>;
  [Symbol.asyncIterator](): ItemIterator<Item, Result>;
}

/** Reads an `ItemStream`. */
export interface ItemIterator<Item, Result = void> extends AsyncIterator<Item, Result | undefined, undefined> {
  next(): Promise<IteratorResult<Item, Result | undefined>>;
  /** Cancels the call. Resolves once the task has released what it held. */
  return(): Promise<IteratorResult<Item, Result | undefined>>;
}

/** What runs behind an `ItemStream`. */
export interface ItemReading {
  next(): Promise<IteratorResult<unknown, unknown>>;
  return(): Promise<IteratorResult<unknown, unknown>>;
}

/** Receives how a stream ended. */
export interface ItemStreamEnd {
  resolve(result?: unknown): void;
  reject(error: unknown): void;
}

/**
 * Makes a stream of which nothing but its face is there before its first item is asked for: what reads it may have to be
 * loaded.
 */
export const itemStream = (load: (end: ItemStreamEnd) => Promise<ItemReading>): ItemStream<unknown, unknown> =>
  new LazyItemStream(load);

type Result = IteratorResult<unknown, unknown>;

class LazyItemStream implements ItemStream<unknown, unknown>, ItemIterator<unknown, unknown> {
  readonly result: Promise<unknown>;
  #end!: ItemStreamEnd;
  #load: ((end: ItemStreamEnd) => Promise<ItemReading>) | undefined;
  #loading: Promise<ItemReading> | undefined;
  #reading: ItemReading | undefined;

  constructor(load: (end: ItemStreamEnd) => Promise<ItemReading>) {
    this.#load = load;
    this.result = new Promise((resolve, reject) => (this.#end = { resolve, reject }));
    this.result.catch(() => {});
  }

  next(): Promise<Result> {
    return this.#reading?.next() ?? this.#begin();
  }

  async #begin(): Promise<Result> {
    this.#loading ??= this.#load?.(this.#end);
    try {
      this.#reading = await this.#loading;
    } catch (error) {
      this.#end.reject(error);
      throw error;
    }
    return this.#reading?.next() ?? ended;
  }

  async return(): Promise<Result> {
    this.#load = undefined;
    this.#end.resolve();
    const reading = await this.#loading;
    return reading === undefined ? ended : reading.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };
