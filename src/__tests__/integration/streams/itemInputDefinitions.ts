import { z } from "zod";
import { r } from "../../../node";
import { collect, sold, visitor } from "./streamDefinitions";

/** Gives back its input and all items. */
export const gather = r
  .task("app.gather")
  .itemInput<unknown>()
  .run(async (input: unknown, _dependencies, { items }) => ({ input, items: await collect(items) }))
  .build();

export const numbered = r
  .task("app.numbered")
  .itemInput(z.object({ at: z.string().transform((text) => new Date(text)) }))
  .run(async (_input: undefined, _dependencies, { items }) => (await collect(items)).map(({ at }) => at.getTime()))
  .build();

/** Reads so many items, then ends as it is told. */
export const early = r
  .task("app.early")
  .itemInput<number>()
  .run(async ({ after, how }: { after: number; how: "return" | "declared" | "opaque" }, _dependencies, { items }) => {
    let read = 0;
    const iterator = items[Symbol.asyncIterator]();
    while (read < after && (await iterator.next()).done !== true) read += 1;
    if (how === "declared") sold.throw({ count: read });
    if (how === "opaque") throw new Error("a secret of the inside");
    return read;
  })
  .build();

/** What bodies that wait did, in order. */
export const noted: string[] = [];

/** Reads all items; says what it learns of their end. */
export const reading = r
  .task("app.reading")
  .itemInput<unknown>()
  .run(async (_input: undefined, _dependencies, { items, signal }) => {
    signal.addEventListener("abort", () => noted.push("aborted"));
    try {
      for await (const item of items) noted.push(`item ${String(item)}`);
      noted.push("end");
    } catch (error) {
      noted.push(`failed ${String((error as { code?: unknown }).code ?? (error as Error).name)}`);
      throw error;
    }
  })
  .build();

/** Gives each item back, with who it runs for, and at last how many they were. */
export const duplex = r
  .task("app.duplex")
  .itemInput<number>()
  .stream(async function* (input: { upTo?: number; isNamed?: true }, _dependencies, { items }) {
    let count = 0;
    for await (const item of items) {
      count += 1;
      yield { item, name: input.isNamed === true ? visitor.use().name : undefined };
      if (count === input.upTo) break;
    }
    return count;
  })
  .build();

export const itemTasks = [gather, numbered, early, reading, duplex];

/** Numbers from 1 on, and what became of their generator. */
export function numbersTo(last: number, fails?: Error) {
  const state = { given: 0, isReturned: false };
  async function* generate(): AsyncGenerator<number, void> {
    try {
      while (state.given < last) yield (state.given += 1);
      if (fails !== undefined) throw fails;
    } finally {
      state.isReturned = true;
    }
  }
  return { state, items: generate() };
}

/** Gives texts of 16 KiB until it is returned. */
export function textsWithoutEnd() {
  const state = { isReturned: false };
  async function* generate(): AsyncGenerator<string, void> {
    try {
      for (;;) yield "x".repeat(16_384);
    } finally {
      state.isReturned = true;
    }
  }
  return { state, items: generate() };
}

/** Gives one item, then nothing until it is returned. */
export function oneThenQuiet() {
  const state = { isReturned: false };
  let onReturn!: (result: IteratorResult<number>) => void;
  const returned = new Promise<IteratorResult<number>>((resolve) => (onReturn = resolve));
  let isGiven = false;
  const items: AsyncIterableIterator<number> = {
    async next() {
      if (isGiven) return returned;
      isGiven = true;
      return { done: false, value: 1 };
    },
    async return() {
      state.isReturned = true;
      const result = { done: true, value: undefined } as const;
      onReturn(result);
      return result;
    },
    [Symbol.asyncIterator]: () => items,
  };
  return { state, items };
}

export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}
