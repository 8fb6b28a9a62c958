import { r } from "../../../node";

export const sold = r.error<{ count: number }>("app.errors.sold").build();
export const visitor = r.asyncContext<{ name: string }>("app.contexts.visitor").build();

/** What bodies did, in order. */
export const seen: string[] = [];

export const numbers = r
  .task("app.numbers")
  .stream(async function* (input: { from: number; to: number }) {
    let total = 0;
    for (let number = input.from; number <= input.to; number += 1) {
      yield number;
      total += number;
    }
    return { total };
  })
  .build();

/** Yields what it is given, one by one. */
export const echo = r
  .task("app.echo")
  .stream(async function* (input: readonly unknown[]) {
    for (const item of input) yield item;
    return input;
  })
  .build();

export const endless = r
  .task("app.endless")
  .stream(async function* (_input: undefined, _dependencies, { signal }) {
    signal.addEventListener("abort", () => seen.push("aborted"));
    try {
      for (let count = 0; ; count += 1) yield count;
    } finally {
      seen.push("finally");
    }
  })
  .build();

/** Yields so many items, then fails. */
export const failing = r
  .task("app.failing")
  .stream(async function* (input: { after: number; how: "declared" | "opaque" | "unwritable" }) {
    for (let count = 0; count < input.after; count += 1) yield count;
    if (input.how === "declared") sold.throw({ count: input.after });
    if (input.how === "unwritable") yield () => {};
    throw new Error("a secret of the inside");
  })
  .build();

/** Says who it runs for, before and after every pause. */
export const contextual = r
  .task("app.contextual")
  .stream(async function* () {
    for (let count = 0; count < 3; count += 1) {
      yield visitor.use().name;
      await new Promise(setImmediate);
      yield visitor.use().name;
    }
  })
  .build();

export const plain = r
  .task("app.plain")
  .run(async () => "no items")
  .build();

export const definitions = [numbers, echo, endless, failing, contextual, plain];

export const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};
