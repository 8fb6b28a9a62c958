import { Errors, globals, r, run } from "../../index";
import { appOf } from "../../__tests__/support/appOf";
import { createDeferred } from "../../__tests__/support/deferred";
import { rejectionOf } from "../../__tests__/support/failures";
import { quiet } from "../../__tests__/support/tunnelPair";

const { fallback, retry } = globals.middleware.task;

const failing = (config: Parameters<typeof fallback.with>[0]) =>
  r
    .task("failing")
    .middleware([fallback.with(config)])
    .run(async (input: string): Promise<unknown> => {
      throw new Error(`no ${input}`);
    })
    .build();

describe("the fallback middleware", () => {
  it.each<[string, unknown, unknown]>([
    ["a value", "default", "default"],
    ["nothing", undefined, undefined],
    ["null", null, null],
    ["a function of the error and the input", (error: Error, input: string) => [error.message, input], ["no x", "x"]],
    ["an asynchronous function", async () => "later", "later"],
  ])("the fallback middleware resolves to %s", async (_what, standIn, expected) => {
    const task = failing({ fallback: standIn });
    await using app = await run(appOf(task), quiet);

    expect(await app.runTask(task, "x")).toEqual(expected);
  });

  it("the fallback middleware runs a task with the same input", async () => {
    const other = r
      .task("other")
      .run(async (input: string) => `other ${input}`)
      .build();
    const task = failing({ fallback: other });
    await using app = await run(appOf(task, other), quiet);

    expect(await app.runTask(task, "x")).toBe("other x");
  });

  it("the fallback middleware names a task that is not registered", async () => {
    const other = r
      .task("other")
      .run(async () => "other")
      .build();
    const task = failing({ fallback: other });
    await using app = await run(appOf(task), quiet);

    expect(Errors.taskNotRegisteredError.is(await rejectionOf(app.runTask(task, "x")))).toBe(true);
  });

  it("the fallback middleware writes into the journal whether it stands in, and why", async () => {
    const seen: unknown[] = [];
    const { active, error } = fallback.journalKeys;
    const watch = r.middleware
      .task("watch")
      .run(async ({ next, journal }) => {
        const result: unknown = await next();
        seen.push([journal.get(active), journal.get(error)?.message]);
        return result;
      })
      .build();
    const task = r
      .task("task")
      .middleware([watch, fallback.with({ fallback: 0 })])
      .run(async (input: number) => {
        if (input < 0) throw new Error("negative");
        return input;
      })
      .build();
    await using app = await run(appOf(watch, task), quiet);

    expect([await app.runTask(task, 1), await app.runTask(task, -1)]).toEqual([1, 0]);
    expect(seen).toEqual([
      [false, undefined],
      [true, "negative"],
    ]);
  });

  it("the fallback middleware outside retry stands in after the last attempt, and nothing is reported", async () => {
    const reported = jest.fn();
    let runs = 0;
    const task = r
      .task("task")
      .middleware([fallback.with({ fallback: "default" }), retry.with({ delayStrategy: () => 0 })])
      .run(async (): Promise<string> => {
        runs += 1;
        throw new Error("no");
      })
      .build();
    await using app = await run(appOf(task), { ...quiet, onUnhandledError: reported });

    expect(await app.runTask(task)).toBe("default");
    expect([runs, reported.mock.calls]).toEqual([4, []]);
  });

  it("the fallback middleware does not stand in once the caller has left", async () => {
    const started = createDeferred();
    const standIn = jest.fn();
    const task = r
      .task("task")
      .middleware([fallback.with({ fallback: standIn })])
      .run(async (_input: void, _dependencies, { signal }) => {
        started.resolve();
        return new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason as Error)),
        );
      })
      .build();
    await using app = await run(appOf(task), { ...quiet, onUnhandledError: () => {} });
    const controller = new AbortController();
    const outcome = rejectionOf(app.runTask(task, undefined, { signal: controller.signal }));
    await started.promise;
    const reason = new Error("left");

    controller.abort(reason);

    expect(await outcome).toBe(reason);
    expect(standIn).not.toHaveBeenCalled();
  });
});
