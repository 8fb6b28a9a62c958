import { createReadStream, statSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { getDefaultSerializer } from "../../../serializer/Serializer";
import { UsageError } from "../usageError";

/** How many characters of items are kept for a second call; a server that refuses the first one has not taken more. */
const maxKeptChars = 32 * 1024 * 1024;

/** @param given a path, or - for standard input @throws {UsageError} there is no such file */
export function openItems(given: string): GivenItems {
  if (given === "-") return new GivenItems(process.stdin, "standard input");
  try {
    if (statSync(given).isDirectory()) throw new Error("it is a directory.");
  } catch (error) {
    throw new UsageError(`--items "${given}" cannot be read: ${(error as Error).message}`);
  }
  return new GivenItems(createReadStream(given), given);
}

/**
 * The items of a call, a line of JSON each. They can be iterated again from the first one, for a call that was refused since the
 * task streams: whether it does is known only then.
 */
export class GivenItems implements AsyncIterable<unknown> {
  readonly #items: AsyncIterator<{ readonly item: unknown; readonly chars: number }>;
  /** What was given so far; absent once it is too much. */
  #kept: unknown[] | undefined = [];
  #keptChars = 0;
  #count = 0;
  #next: Promise<unknown> | undefined;
  #isOver = false;
  /** Why there are no more. A client reports it as a failure of its call. */
  failure: UsageError | undefined;

  constructor(source: Readable, name: string) {
    this.#items = this.#read(source, name);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void, undefined> {
    for (let index = 0; ;) {
      if (index < this.#count) {
        if (this.#kept === undefined) throw this.#fail("There are too many items to send them a second time.");
        yield this.#kept[index];
        index += 1;
        continue;
      }
      if (this.#isOver) return;
      // One that was left while it waits and the next one get the same item.
      const item = await (this.#next ??= this.#advance());
      if (this.#kept !== undefined || this.#isOver) continue;
      yield item;
      index += 1;
    }
  }

  async #advance(): Promise<unknown> {
    const { done = false, value } = await this.#items.next();
    this.#next = undefined;
    this.#isOver = done;
    if (done) return undefined;
    const { item, chars } = value as { item: unknown; chars: number };
    this.#count += 1;
    this.#keptChars += chars;
    if (this.#keptChars > maxKeptChars) this.#kept = undefined;
    else this.#kept?.push(item);
    return item;
  }

  async *#read(source: Readable, name: string) {
    const lines = createInterface({ input: source, crlfDelay: Infinity });
    let number = 0;
    for await (const line of lines) {
      number += 1;
      if (line.trim() === "") continue;
      let item: unknown;
      try {
        item = getDefaultSerializer().parse(line);
      } catch (error) {
        throw this.#fail(`Line ${number} of ${name} is no JSON: ${(error as Error).message}`);
      }
      yield { item, chars: line.length };
    }
  }

  #fail(message: string): UsageError {
    return (this.failure = new UsageError(message));
  }
}
