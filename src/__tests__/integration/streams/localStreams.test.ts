import { r, run } from "../../../index";
import { appOf } from "../../support/appOf";

const numbers = r
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

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

describe("a streamed task in its own process", () => {
  it("gives its items in order, and what it returns as the result", async () => {
    await using app = await run(appOf(numbers));

    const stream = app.runTask(numbers, { from: 1, to: 4 });

    expect(await collect(stream)).toEqual([1, 2, 3, 4]);
    expect((await stream.result)?.total).toBe(10);
  });

  it("runs nothing before its first item is asked for", async () => {
    const began: string[] = [];
    const lazy = r
      .task("app.lazy")
      .stream(async function* () {
        began.push("began");
        yield 1;
      })
      .build();
    await using app = await run(appOf(lazy));

    const stream = app.runTask(lazy);
    await new Promise(setImmediate);
    expect(began).toEqual([]);
    await collect(stream);

    expect(began).toEqual(["began"]);
  });

  it("ends the body when the loop is left: its signal aborts and its finally runs", async () => {
    const seen: unknown[] = [];
    const endless = r
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
    await using app = await run(appOf(endless));

    const stream = app.runTask(endless);
    for await (const count of stream) if (count === 2) break;

    expect(seen).toEqual(["aborted", "finally"]);
    await expect(stream.result).resolves.toBeUndefined();
  });
});
