// Imports types alone: where this is a file of its own, bundlers would move what it shares with the rest into a further file,
// with which pages would begin.
import type { ITask } from "../../define/task";
import type { Schema } from "../../lib/schema";
import type { Call, ItemsOfCaller } from "./call";
import type { StreamTools } from "./openItems";

/** A task that takes items, as it is called. */
export interface ItemsBody extends Pick<StreamTools, "captureSlots"> {
  readonly task: ITask & { readonly itemInputSchema?: Schema | undefined };
  /** Calls the body. */
  readonly run: (input: unknown, call: Call) => unknown;
  readonly validator: (schema: Schema, subject: "Task input item", id: string) => (value: unknown) => unknown;
}

type Result = IteratorResult<unknown, unknown>;

/**
 * Calls the body of a task that takes items: its call has them as `items`. Once it has settled, or the stream it gives is over,
 * the items are closed.
 *
 * @throws {TypeError} the caller gave no items, or they were read in an earlier run of the body
 */
export async function runWithItems({ task, run, ...tools }: ItemsBody, input: unknown, call: Call): Promise<unknown> {
  const items = new GivenItems(call, task, tools);
  call.items = items;
  if (task.streams === true) {
    try {
      return closing((await run(input, call)) as AsyncIterable<unknown>, items);
    } catch (error) {
      items.close();
      throw error;
    }
  }
  try {
    return await run(input, call);
  } finally {
    items.close();
  }
}

/** What a body gives, which closes the items of the caller once it is over. */
function closing(given: AsyncIterable<unknown>, items: GivenItems): unknown {
  const { [Symbol.asyncIterator]: iterate } = (given ?? {}) as Partial<AsyncIterable<unknown, unknown>>;
  // Refused where it is opened.
  if (typeof iterate !== "function") return given;
  const own = iterate.call(given);
  const iterator: AsyncIterableIterator<unknown, unknown> = {
    async next() {
      try {
        const result = await own.next();
        if (result.done === true) items.close();
        return result;
      } catch (error) {
        items.close();
        throw error;
      }
    },
    async return() {
      items.close();
      return (await own.return?.()) ?? ended;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

/** The items of a caller, as a body reads them: validated, in the contexts of the call, and over once the call is aborted. */
class GivenItems implements AsyncIterable<unknown> {
  readonly #given: ItemsOfCaller;
  readonly #taskId: string;
  readonly #signal: AbortSignal | undefined;
  readonly #parse: ((item: unknown) => unknown) | undefined;
  readonly #enter: <R>(fn: () => R) => R;
  #iterator: AsyncIterator<unknown> | undefined;
  #reader: AsyncIterableIterator<unknown> | undefined;
  #isOver = false;
  /** Ends what waits when the call is aborted. */
  readonly #waiting = new Set<(reason: unknown) => void>();

  constructor(
    call: Call,
    { id, itemInputSchema }: ItemsBody["task"],
    tools: Pick<ItemsBody, "validator" | "captureSlots">,
  ) {
    this.#taskId = id;
    this.#given = givenBy(call, id);
    this.#signal = call.scope?.signal;
    this.#parse = itemInputSchema && tools.validator(itemInputSchema, "Task input item", id);
    this.#enter = tools.captureSlots();
    this.#signal?.addEventListener("abort", this.#onAbort);
  }

  /** @throws {TypeError} they were read in an earlier run of the body */
  [Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    return (this.#reader ??= this.#open());
  }

  /** No more items are wanted. What fails meanwhile is no concern of the call. */
  close(): void {
    if (this.#isOver) return;
    this.#finish();
    const { iterator, items } = { iterator: this.#iterator, items: this.#given.items };
    // Of those that were never asked for, too: they may hold something.
    if (iterator === undefined && this.#given.isRead) return;
    this.#given.isRead = true;
    void this.#enter(async () => (iterator ?? iteratorOf(items)).return?.())?.catch(() => {});
  }

  #open(): AsyncIterableIterator<unknown> {
    if (this.#given.isRead) {
      throw new TypeError(
        `The items of a call can be read once, and those for task "${this.#taskId}" were: a middleware has run it again.`,
      );
    }
    this.#given.isRead = true;
    if (!this.#isOver) this.#iterator = this.#enter(() => iteratorOf(this.#given.items));
    const reader: AsyncIterableIterator<unknown> = {
      next: () => this.#next(),
      return: async () => {
        this.close();
        return ended;
      },
      [Symbol.asyncIterator]: () => reader,
    };
    return reader;
  }

  async #next(): Promise<Result> {
    this.#signal?.throwIfAborted();
    const iterator = this.#iterator;
    if (this.#isOver || iterator === undefined) return ended;
    let result: Result;
    try {
      result = await this.#unlessAborted(this.#enter(() => iterator.next()));
    } catch (error) {
      // Once aborted, what it reads from is still to be closed.
      if (this.#signal?.aborted !== true) this.#finish();
      throw error;
    }
    if (result.done === true) {
      this.#finish();
      return ended;
    }
    if (this.#parse === undefined) return result;
    try {
      return { done: false, value: await this.#parse(result.value) };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #unlessAborted(work: Promise<Result> | Result): Promise<Result> {
    if (this.#signal === undefined) return Promise.resolve(work);
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const settle =
        <V>(how: (value: V) => void) =>
        (value: V): void => {
          this.#waiting.delete(reject);
          how(value);
        };
      Promise.resolve(work).then(settle(resolve), settle(reject));
    });
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#signal?.reason;
    for (const reject of this.#waiting) reject(reason);
    this.close();
  };

  #finish(): void {
    this.#isOver = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };

function givenBy({ given }: Call, taskId: string): ItemsOfCaller {
  const { [Symbol.asyncIterator]: asynchronous, [Symbol.iterator]: synchronous } = Object(given?.items) as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >;
  // Of a text, the characters are hardly what was meant.
  const isIterable = typeof asynchronous === "function" || typeof synchronous === "function";
  if (given !== undefined && typeof given.items !== "string" && isIterable) return given;
  throw new TypeError(
    `Task "${taskId}" takes items: call it with (input, { items }), where items is an async iterable.`,
  );
}

function iteratorOf(items: unknown): AsyncIterator<unknown> {
  const { [Symbol.asyncIterator]: iterate } = items as Partial<AsyncIterable<unknown>>;
  if (typeof iterate === "function") return iterate.call(items);
  const own = (items as Iterable<unknown>)[Symbol.iterator]();
  return {
    next: async () => own.next() as Result,
    return: async () => (own.return?.() as Result | undefined) ?? ended,
  };
}
