import { globals, r, run } from "../../../index";
import { appOf } from "../../support/appOf";
import { collect } from "./streamDefinitions";

const { middleware } = globals;

/** Fails so many times before its first item, then yields. */
function flaky(failures: number, after: "before" | "between") {
  let calls = 0;
  const task = r
    .task("app.flaky")
    .middleware([middleware.task.retry.with({ retries: 3, delayStrategy: () => 0 })])
    .stream(async function* () {
      calls += 1;
      if (after === "before" && calls <= failures) throw new Error("not yet");
      yield calls;
      if (after === "between" && calls <= failures) throw new Error("broken");
      yield "last";
    })
    .build();
  return { task, calls: () => calls };
}

describe("middleware around a streamed task", () => {
  it("sees one call, and goes on when the first item is there", async () => {
    const steps: string[] = [];
    const observer = r.middleware
      .task("app.observer")
      .run(async ({ next }) => {
        steps.push("in");
        const items: unknown = await next();
        steps.push("out");
        return items;
      })
      .build();
    const task = r
      .task("app.observed")
      .middleware([observer])
      .stream(async function* () {
        steps.push("first");
        yield 1;
        steps.push("second");
        yield 2;
      })
      .build();
    await using app = await run(appOf(observer, task));

    await collect(app.runTask(task));

    expect(steps).toEqual(["in", "first", "out", "second"]);
  });

  it("may put other items in the place of those it got", async () => {
    const doubling = r.middleware
      .task("app.doubling")
      .run(async ({ next }) => {
        const items = (await next()) as AsyncIterable<number>;
        return (async function* () {
          for await (const item of items) yield item * 2;
        })();
      })
      .build();
    const task = r
      .task("app.doubled")
      .middleware([doubling])
      .stream(async function* () {
        yield 1;
        yield 2;
      })
      .build();
    await using app = await run(appOf(doubling, task));

    expect(await collect(app.runTask(task))).toEqual([2, 4]);
  });

  it("fails the call when it returns nothing to stream", async () => {
    const losing = r.middleware
      .task("app.losing")
      .run(async ({ next }) => {
        await next();
      })
      .build();
    const task = r
      .task("app.lost")
      .middleware([losing])
      .stream(async function* () {
        yield 1;
      })
      .build();
    await using app = await run(appOf(losing, task));

    await expect(collect(app.runTask(task))).rejects.toThrow('Task "app.lost" streams');
  });

  it("retry runs the body again only while there is no item", async () => {
    const before = flaky(2, "before");
    await using app = await run(appOf(before.task));
    expect(await collect(app.runTask(before.task))).toEqual([3, "last"]);

    const between = flaky(1, "between");
    await using other = await run(appOf(between.task));
    await expect(collect(other.runTask(between.task))).rejects.toThrow("broken");
    expect(between.calls()).toBe(1);
  });

  it("timeout limits the time to the first item, and not the stream", async () => {
    const aborted: unknown[] = [];
    const task = r
      .task("app.slowToBegin")
      .middleware([middleware.task.timeout.with({ ttl: 5 })])
      .stream(async function* (input: { hangs: boolean }, _dependencies, { signal }) {
        if (input.hangs) await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted.push(signal.aborted);
        yield 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        yield 2;
      })
      .build();
    await using app = await run(appOf(task));

    await expect(collect(app.runTask(task, { hangs: true }))).rejects.toThrow("timed out");
    expect(await collect(app.runTask(task, { hangs: false }))).toEqual([1, 2]);
    expect(aborted).toEqual([true, false]);
  });

  it("timeout with idleMs limits the time between two items, and ends the body", async () => {
    const seen: string[] = [];
    const task = r
      .task("app.stalling")
      .middleware([middleware.task.timeout.with({ ttl: 5000, idleMs: 5 })])
      .stream(async function* (_input: undefined, _dependencies, { signal }) {
        try {
          yield 1;
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          seen.push("aborted");
        } finally {
          seen.push("finally");
        }
      })
      .build();
    await using app = await run(appOf(task));

    await expect(collect(app.runTask(task))).rejects.toThrow("timed out");
    await new Promise(setImmediate);

    expect(seen).toEqual(["aborted", "finally"]);
  });

  it.each([
    ["cache", middleware.task.cache.with({})],
    ["debounce", middleware.task.debounce.with({ ms: 1 })],
    ["throttle", middleware.task.throttle.with({ ms: 1 })],
  ])("%s, which gives one result to several callers, fails the boot", async (_name, attached) => {
    const task = r
      .task("app.shared")
      .middleware([attached])
      .stream(async function* () {
        yield 1;
      })
      .build();
    const resources = _name === "cache" ? [globals.resources.cache] : [];

    await expect(run(appOf(task, ...resources))).rejects.toMatchObject({
      id: "runner.errors.middlewareRefusesStream",
      data: { taskId: "app.shared", middlewareId: attached.id },
    });
  });

  it("schemas hold for every item and for the result, and end the body that breaks them", async () => {
    const ended: string[] = [];
    const positive = {
      parse(value: unknown): number {
        if (typeof value !== "number" || value < 0) throw new Error("not positive");
        return value;
      },
    };
    const task = r
      .task("app.checked")
      .stream(async function* (input: readonly number[]) {
        try {
          for (const item of input) yield item;
        } finally {
          ended.push("finally");
        }
        return -1;
      })
      .itemSchema(positive)
      .resultSchema(positive)
      .build();
    await using app = await run(appOf(task));

    await expect(collect(app.runTask(task, [1, -2, 3]))).rejects.toMatchObject({
      id: "runner.errors.validation",
      data: { subject: "Task item", id: "app.checked" },
    });
    expect(ended).toEqual(["finally"]);
    await expect(collect(app.runTask(task, [1]))).rejects.toMatchObject({ data: { subject: "Task result" } });
  });
});
