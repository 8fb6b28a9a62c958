// Imports types alone: where this is a file of its own, bundlers would move what it shares with the rest into a further file,
// with which pages would begin.
import type { ITask } from "../../define/task";
import type { ItemSource } from "../../lib/itemReader";
import type { Schema } from "../../lib/schema";
import type { CallScope, DerivedScope, ScopeLimits } from "../callScope";
import type { RunState } from "../runState";
import type { Call } from "./call";

/** Functions of other modules. */
export interface StreamTools {
  readonly deriveScope: (outer: CallScope | undefined, limits: ScopeLimits, id: string) => DerivedScope;
  readonly validator: (schema: Schema, subject: "Task item" | "Task result", id: string) => (value: unknown) => unknown;
  readonly captureSlots: () => <R>(fn: () => R) => R;
}

/** What a streamed task is opened with. */
export interface StreamedBody extends StreamTools {
  readonly task: ITask;
  readonly state: RunState;
  /** Calls the body, which gives the items or a promise of them. */
  readonly run: (input: unknown, call: Call) => unknown;
  /** Receives what the items end with after the first one. */
  readonly reportFailure: (error: unknown, taskId: string, scope: CallScope | undefined) => void;
}

/**
 * Calls the body of a streamed task and waits for its first item, so that what fails before it fails the call: middleware
 * sees the call until then.
 */
export async function openItems(body: StreamedBody, input: unknown, call: Call): Promise<ItemSource> {
  const opened = new OpenedItems(body, call);
  await opened.open(input);
  return opened;
}

/** What a call of a streamed task gives, past its middleware, as a source of items. @throws {TypeError} it gives none */
export function itemSourceOf(given: unknown, taskId: string): ItemSource {
  if (given instanceof OpenedItems) return given;
  const items = iteratorOf(given, taskId);
  return {
    next: () => items.next(),
    cancel: async () => void (await Promise.resolve(items.return?.()).catch(() => {})),
  };
}

function iteratorOf(given: unknown, taskId: string): AsyncIterator<unknown, unknown> {
  const { [Symbol.asyncIterator]: iterate } = (given ?? {}) as Partial<AsyncIterable<unknown, unknown>>;
  if (typeof iterate === "function") return iterate.call(given);
  throw new TypeError(
    `Task "${taskId}" streams, but got nothing to stream: .stream takes an async generator, and middleware returns what next() ` +
      "resolved to or another async iterable.",
  );
}

type Result = IteratorResult<unknown, unknown>;

/** A streamed task that has begun, which middleware may iterate. Its body runs in the contexts of its call, whatever asks for the next item. */
class OpenedItems implements ItemSource, AsyncIterable<unknown> {
  readonly #body: StreamedBody;
  readonly #call: Call;
  readonly #enter: <R>(fn: () => R) => R;
  readonly #own = new AbortController();
  readonly #release: () => void;
  readonly #parseItem: ((item: unknown) => unknown) | undefined;
  readonly #parseResult: ((result: unknown) => unknown) | undefined;
  #items: AsyncIterator<unknown, unknown> | undefined;
  #first: Result | undefined;
  #isOpen = false;
  #isOver = false;

  constructor(body: StreamedBody, call: Call) {
    this.#body = body;
    const { deriveScope, validator, captureSlots } = body;
    const { id, itemSchema, resultSchema } = body.task;
    this.#enter = captureSlots();
    const { scope, release } = deriveScope(call.scope, { signal: this.#own.signal }, id);
    this.#call = call.within(scope);
    this.#release = release;
    this.#parseItem = itemSchema && validator(itemSchema, "Task item", id);
    this.#parseResult = resultSchema && validator(resultSchema, "Task result", id);
  }

  async open(input: unknown): Promise<void> {
    const { run, task, state } = this.#body;
    state.underWay += 1;
    try {
      this.#items = iteratorOf(await run(input, this.#call), task.id);
      this.#first = await this.#pull();
      this.#isOpen = true;
    } catch (error) {
      this.#finish();
      throw error;
    }
  }

  next(): Promise<Result> {
    const first = this.#first;
    if (first === undefined) return this.#pull();
    this.#first = undefined;
    return Promise.resolve(first);
  }

  async cancel(reason: unknown): Promise<void> {
    if (this.#isOver) return;
    this.#enter(() => this.#own.abort(reason));
    try {
      await this.#letGo();
    } catch {
      // What was given up has no one to fail for.
    }
    this.#finish();
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, unknown> {
    return {
      next: () => this.next(),
      return: async () => {
        await this.cancel(new DOMException("The reader of the items has left.", "AbortError"));
        return ended;
      },
    };
  }

  #pull(): Promise<Result> {
    if (this.#isOver) return Promise.resolve(ended);
    const pulled = this.#enter(() => (this.#items as AsyncIterator<unknown, unknown>).next());
    return Promise.resolve(pulled).then(this.#onResult, this.#onFailure);
  }

  readonly #onResult = (result: Result): Result | Promise<Result> => {
    const isEnd = result.done === true;
    if (isEnd) this.#finish();
    const parse = isEnd ? this.#parseResult : this.#parseItem;
    if (parse === undefined) return result;
    try {
      const parsed = parse(result.value);
      const give = (value: unknown): Result => ({ done: isEnd, value });
      return parsed instanceof Promise ? parsed.then(give, this.#refuse) : give(parsed);
    } catch (error) {
      return this.#refuse(error);
    }
  };

  /** An item that does not fit ends the stream: what it is made of is let go. */
  readonly #refuse = async (error: unknown): Promise<never> => {
    await this.#letGo()?.catch(() => {});
    return this.#onFailure(error);
  };

  readonly #onFailure = (error: unknown): never => {
    this.#finish();
    // What fails before the first item fails the call, which reports it.
    if (this.#isOpen && !this.#own.signal.aborted) {
      this.#body.reportFailure(error, this.#body.task.id, this.#call.scope);
    }
    throw error;
  };

  #letGo(): Promise<unknown> | undefined {
    return this.#enter(() => this.#items?.return?.());
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#body.state.underWay -= 1;
    this.#release();
  }
}

const ended: IteratorReturnResult<undefined> = { done: true, value: undefined };
