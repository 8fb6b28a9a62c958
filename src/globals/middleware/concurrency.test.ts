import { asyncProperty, assert, array, integer, nat, record } from "fast-check";
import { Errors, globals, r, run, Semaphore } from "../../index";
import { appOf } from "../../__tests__/support/appOf";
import { createDeferred, type Deferred } from "../../__tests__/support/deferred";
import { rejectionOf, thrownBy } from "../../__tests__/support/failures";
import { quiet } from "../../__tests__/support/tunnelPair";

const { concurrency } = globals.middleware.task;
type Config = Parameters<typeof concurrency.with>[0];

/** Tasks that run until they are told to end, and what runs at this moment. */
function createGated() {
  const running: { readonly name: string; readonly gate: Deferred }[] = [];
  let most = 0;
  const task = (id: string, middleware: ReturnType<typeof concurrency.with>) =>
    r
      .task(id)
      .middleware([middleware])
      .run(async (name: string) => {
        const entry = { name, gate: createDeferred() };
        running.push(entry);
        most = Math.max(most, running.length);
        try {
          await entry.gate.promise;
        } finally {
          running.splice(running.indexOf(entry), 1);
        }
        return name;
      })
      .build();
  return { running, task, most: () => most, names: () => running.map(({ name }) => name) };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("the concurrency middleware", () => {
  it("the concurrency middleware shares a limit by the identity of the config", async () => {
    const gated = createGated();
    const limited = concurrency.with({ limit: 1 });
    const [first, second] = [gated.task("first", limited), gated.task("second", limited)];
    const apart = gated.task("apart", concurrency.with({ limit: 1 }));
    await using app = await run(appOf(first, second, apart), quiet);

    const calls = [app.runTask(first, "a"), app.runTask(second, "b"), app.runTask(apart, "c")];
    await settle();
    expect(gated.names()).toEqual(["a", "c"]);
    for (const { gate } of [...gated.running]) gate.resolve();
    await settle();
    expect(gated.names()).toEqual(["b"]);
    gated.running[0]?.gate.resolve();

    expect(await Promise.all(calls)).toEqual(["a", "b", "c"]);
  });

  it("the concurrency middleware shares a limit by key, and refuses a key with two limits", async () => {
    const gated = createGated();
    const first = gated.task("first", concurrency.with({ limit: 1, key: "database" }));
    const second = gated.task("second", concurrency.with({ limit: 1, key: "database" }));
    const third = gated.task("third", concurrency.with({ limit: 2, key: "database" }));
    await using app = await run(appOf(first, second, third), quiet);

    const calls = [app.runTask(first, "a"), app.runTask(second, "b")];
    await settle();

    expect(gated.names()).toEqual(["a"]);
    await expect(app.runTask(third, "c")).rejects.toThrow(
      'Concurrency middleware key "database" is already registered with limit 1, but got 2',
    );
    gated.running[0]?.gate.resolve();
    await settle();
    gated.running[0]?.gate.resolve();
    await Promise.all(calls);
    const { semaphoresByKey } = app.getResourceValue(globals.resources.concurrency);
    expect(semaphoresByKey.get("database")?.semaphore.getAvailablePermits()).toBe(1);
  });

  it("the concurrency middleware takes a semaphore of the application, and gives back the permit of a failure", async () => {
    const semaphore = new Semaphore(1);
    const permits: number[] = [];
    const task = r
      .task("task")
      .middleware([concurrency.with({ semaphore, limit: 5 })])
      .run(async () => {
        permits.push(semaphore.getAvailablePermits());
        throw new Error("no");
      })
      .build();
    await using app = await run(appOf(task), quiet);

    await rejectionOf(app.runTask(task));
    await rejectionOf(app.runTask(task));

    expect([permits, semaphore.getAvailablePermits()]).toEqual([[0, 0], 1]);
  });

  it("the concurrency middleware passes through where it has no limit", async () => {
    const task = r
      .task("task")
      .middleware([concurrency])
      .run(async (input: number) => input)
      .build();
    await using app = await run(appOf(task), quiet);

    expect(await Promise.all([1, 2, 3].map((each) => app.runTask(task, each)))).toEqual([1, 2, 3]);
  });

  it("the concurrency middleware refuses calls beyond its queue", async () => {
    const gated = createGated();
    const task = gated.task("task", concurrency.with({ limit: 1, queueLimit: 1 }));
    await using app = await run(appOf(task), quiet);

    const calls = [app.runTask(task, "a"), app.runTask(task, "b")];
    await settle();
    const refused = await rejectionOf(app.runTask(task, "c"));

    expect(Errors.bulkheadError.is(refused) && refused.data).toEqual({ taskId: "task", limit: 1, queueLimit: 1 });
    expect([refused.name, (refused as { httpCode?: number }).httpCode]).toEqual(["BulkheadError", 503]);
    gated.running[0]?.gate.resolve();
    await settle();
    gated.running[0]?.gate.resolve();
    await Promise.all(calls);
  });

  it("the concurrency middleware lets a call leave while it waits, and the next one takes its place", async () => {
    const gated = createGated();
    const task = gated.task("task", concurrency.with({ limit: 1 }));
    await using app = await run(appOf(task), { ...quiet, onUnhandledError: () => {} });
    const controller = new AbortController();
    const first = app.runTask(task, "a");
    const left = rejectionOf(app.runTask(task, "b", { signal: controller.signal }));
    const third = app.runTask(task, "c");
    await settle();

    const reason = new Error("left");
    controller.abort(reason);

    expect(await left).toBe(reason);
    gated.running[0]?.gate.resolve();
    await settle();
    expect(gated.names()).toEqual(["c"]);
    gated.running[0]?.gate.resolve();
    expect(await Promise.all([first, third])).toEqual(["a", "c"]);
  });

  it("the concurrency middleware refuses what waits when the run ends", async () => {
    const gated = createGated();
    const task = gated.task("task", concurrency.with({ limit: 1 }));
    const app = await run(appOf(task), { ...quiet, onUnhandledError: () => {} });
    const first = app.runTask(task, "a");
    const waiting = rejectionOf(app.runTask(task, "b"));
    await settle();

    await app.dispose();

    const error = await waiting;
    expect(Errors.cancellationError.is(error) && error.message).toBe(
      'Task "task" was not started: its run is being disposed of',
    );
    gated.running[0]?.gate.resolve();
    expect(await first).toBe("a");
  });

  it.each<[string, Config, string]>([
    ["a limit of 0", { limit: 0 }, "limit must be a whole number, 1 or more, got 0."],
    ["a key that is no text", { limit: 1, key: 5 as never }, "key must be a text, got 5."],
    ["a semaphore that is none", { semaphore: {} as never }, "semaphore must be a Semaphore, got [object Object]."],
    ["a queue of less than nothing", { queueLimit: -1 }, "queueLimit must be a whole number, 0 or more, got -1."],
  ])("the concurrency middleware refuses %s", (_what, config, message) => {
    expect(thrownBy(() => concurrency.with(config)).message).toContain(message);
  });

  it("the concurrency middleware never runs more at once than its limit, whatever comes, fails and leaves", async () => {
    const calls = array(record({ endsFirst: nat(5), leaves: nat(3), fails: nat(3) }), { maxLength: 25 });
    await assert(
      asyncProperty(integer({ min: 1, max: 4 }), calls, async (limit, steps) => {
        const gated = createGated();
        const task = gated.task("task", concurrency.with({ limit }));
        await using app = await run(appOf(task), { ...quiet, onUnhandledError: () => {} });
        const outcomes = steps.map(({ leaves }, index) => {
          const controller = new AbortController();
          const outcome = app.runTask(task, String(index), { signal: controller.signal }).catch(() => "left");
          if (leaves === 0) controller.abort(new Error("left"));
          return outcome;
        });
        for (const { endsFirst, fails } of steps) {
          await settle();
          const gate = gated.running[endsFirst % Math.max(1, gated.running.length)]?.gate;
          if (fails === 0) gate?.reject(new Error("no"));
          else gate?.resolve();
        }
        while (gated.running.length > 0) {
          for (const { gate } of [...gated.running]) gate.resolve();
          await settle();
        }
        await Promise.all(outcomes);

        expect(gated.most()).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 40 },
    );
  });
});
