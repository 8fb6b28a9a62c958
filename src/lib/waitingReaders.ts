import type { ItemStreamEnd } from "./itemStream";

/** How a stream ended: because nothing follows, or with an error. */
export interface ReadingEnd {
  readonly isFailure: boolean;
  readonly error?: unknown;
}

/** The readers that wait for values of one stream, and how it ended. */
export class WaitingReaders<T> {
  readonly #end: ItemStreamEnd;
  #waiting: { resolve(result: IteratorResult<T, undefined>): void; reject(error: unknown): void }[] = [];
  #outcome: ReadingEnd | undefined;

  /** @param end told once how the stream ended */
  constructor(end: ItemStreamEnd) {
    this.#end = end;
  }

  get isOver(): boolean {
    return this.#outcome !== undefined;
  }

  /** Whether a reader waits. */
  get isAny(): boolean {
    return this.#waiting.length > 0;
  }

  /** @param onWaiting gives the reader what is there */
  next(onWaiting: () => void): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      onWaiting();
    });
  }

  /** Gives the first reader a value. */
  give(value: T): void {
    this.#waiting.shift()?.resolve({ done: false, value });
  }

  /** Gives those that wait the end, if there is one. A loop is told once why it ended. */
  giveEnd(): void {
    if (this.#outcome === undefined) return;
    const { isFailure, error } = this.#outcome;
    const [first, ...others] = this.#waiting.splice(0);
    if (first === undefined) return;
    if (isFailure) first.reject(error);
    else first.resolve(endOfItems);
    for (const { resolve } of others) resolve(endOfItems);
    this.#outcome = { isFailure: false };
  }

  /** Ends the stream, which happens once. */
  settle(outcome: ReadingEnd): void {
    this.#outcome = outcome;
    if (outcome.isFailure) this.#end.reject(outcome.error);
    else this.#end.resolve();
  }
}

export const endOfItems: IteratorReturnResult<undefined> = { done: true, value: undefined };
