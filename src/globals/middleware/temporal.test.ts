import { AsyncLocalStorage } from "node:async_hooks";
import { array, assert, asyncProperty, boolean, integer, record } from "fast-check";
import { Errors, globals, r, run } from "../../index";
import { appOf } from "../../__tests__/support/appOf";
import { createDeferred } from "../../__tests__/support/deferred";
import { rejectionOf, thrownBy } from "../../__tests__/support/failures";
import { quiet } from "../../__tests__/support/tunnelPair";

const { debounce, throttle } = globals.middleware.task;
const silent = { ...quiet, onUnhandledError: () => {} };

/** A task that writes down what it ran with. */
function recording(middleware: ReturnType<typeof debounce.with>, id = "task") {
  const runs: number[] = [];
  const task = r
    .task(id)
    .middleware([middleware])
    .run(async (input: number) => {
      runs.push(input);
      if (input < 0) throw new Error(`no ${input}`);
      return input;
    })
    .build();
  return { task, runs };
}

beforeEach(() => void jest.useFakeTimers({ doNotFake: ["nextTick", "queueMicrotask", "setImmediate"] }));
afterEach(() => void jest.useRealTimers());

describe("debounce", () => {
  it("debounce runs once with the latest input, and all calls share the result", async () => {
    const { task, runs } = recording(debounce.with({ ms: 50 }));
    await using app = await run(appOf(task), quiet);

    const results = Promise.all([1, 2, 3].map((input) => app.runTask(task, input)));
    await jest.advanceTimersByTimeAsync(50);

    expect([await results, runs]).toEqual([[3, 3, 3], [3]]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it("debounce waits for silence, and shares a failure as well", async () => {
    const { task, runs } = recording(debounce.with({ ms: 50 }));
    await using app = await run(appOf(task), silent);

    const first = rejectionOf(app.runTask(task, 1));
    await jest.advanceTimersByTimeAsync(49);
    const second = rejectionOf(app.runTask(task, -2));
    await jest.advanceTimersByTimeAsync(49);
    expect(runs).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);

    expect((await first).message).toBe("no -2");
    expect(await second).toBe(await first);
  });

  it("debounce gathers the calls of each task by themselves, also where two share a config", async () => {
    const shared = debounce.with({ ms: 50 });
    const [first, second] = [recording(shared, "first"), recording(shared, "second")];
    await using app = await run(appOf(first.task, second.task), quiet);

    const results = Promise.all([app.runTask(first.task, 1), app.runTask(second.task, 2)]);
    await jest.advanceTimersByTimeAsync(50);

    expect(await results).toEqual([1, 2]);
  });

  it("debounce runs in the async context of the call whose input it takes", async () => {
    const storage = new AsyncLocalStorage<string>();
    const task = r
      .task("task")
      .middleware([debounce.with({ ms: 50 })])
      .run(async (_input: number) => storage.getStore())
      .build();
    await using app = await run(appOf(task), silent);
    const left = new AbortController();

    const results = ["a", "b"].map((name) => storage.run(name, () => app.runTask(task, 1)));
    const third = rejectionOf(storage.run("c", () => app.runTask(task, 1, { signal: left.signal })));
    left.abort(new Error("left"));
    await third;
    await jest.advanceTimersByTimeAsync(50);

    expect(await Promise.all(results)).toEqual(["b", "b"]);
  });

  it("debounce goes on for the callers that are left, and stops the run when the last one leaves", async () => {
    const signals: AbortSignal[] = [];
    const task = r
      .task("task")
      .middleware([debounce.with({ ms: 50 })])
      .run(async (_input: number, _dependencies, { signal }) => {
        signals.push(signal);
        return new Promise<never>(() => {});
      })
      .build();
    await using app = await run(appOf(task), silent);
    const controllers = [new AbortController(), new AbortController()];
    const outcomes = controllers.map(({ signal }) => rejectionOf(app.runTask(task, 1, { signal })));
    await jest.advanceTimersByTimeAsync(50);
    const [first, second] = [new Error("first"), new Error("second")];

    controllers[1]?.abort(second);
    expect([await outcomes[1], signals[0]?.aborted]).toEqual([second, false]);
    controllers[0]?.abort(first);

    expect([await outcomes[0], signals[0]?.reason]).toEqual([first, first]);
    expect(signals).toHaveLength(1);
  });

  it("debounce does not run for callers that have all left", async () => {
    const { task, runs } = recording(debounce.with({ ms: 50 }));
    await using app = await run(appOf(task), silent);
    const controller = new AbortController();
    const outcome = rejectionOf(app.runTask(task, 1, { signal: controller.signal }));

    controller.abort(new Error("left"));

    expect((await outcome).message).toBe("left");
    expect(jest.getTimerCount()).toBe(0);
    expect(runs).toEqual([]);
  });

  it("debounce refuses what waits when the run ends, and leaves no timer", async () => {
    const { task, runs } = recording(debounce.with({ ms: 50 }));
    const app = await run(appOf(task), silent);
    const outcome = rejectionOf(app.runTask(task, 1));

    await app.dispose();

    expect((await outcome).message).toBe('Task "task" was not started: its run is being disposed of');
    expect(Errors.cancellationError.is(await outcome)).toBe(true);
    expect([jest.getTimerCount(), runs]).toEqual([0, []]);
  });

  it("debounce refuses what is no time, and to run without one", async () => {
    expect(thrownBy(() => debounce.with({ ms: "x" as never })).message).toContain(
      "ms must be a number of milliseconds",
    );
    const { task } = recording(debounce as never);
    await using app = await run(appOf(task), silent);

    await expect(app.runTask(task, 1)).rejects.toThrow("debounceTaskMiddleware requires .with({ ms }) configuration.");
  });

  it("debounce gives every call the outcome of the latest one before the next silence, whatever comes when", async () => {
    const ms = 20;
    const calls = array(record({ afterMs: integer({ min: 0, max: 40 }), fails: boolean() }), {
      minLength: 1,
      maxLength: 30,
    });
    await assert(
      asyncProperty(calls, async (steps) => {
        const { task, runs } = recording(debounce.with({ ms }));
        await using app = await run(appOf(task), silent);
        const inputs = steps.map(({ fails }, index) => (fails ? -1 : 1) * (index + 1));
        const outcomes: Promise<unknown>[] = [];
        for (const [index, { afterMs }] of steps.entries()) {
          await jest.advanceTimersByTimeAsync(index === 0 ? 0 : afterMs);
          outcomes.push(app.runTask(task, inputs[index] as number).catch((error: Error) => error.message));
        }
        await jest.advanceTimersByTimeAsync(ms);

        const lastOf = (index: number): number => {
          const next = steps.findIndex(({ afterMs }, at) => at > index && afterMs >= ms);
          return inputs[next === -1 ? inputs.length - 1 : next - 1] as number;
        };
        const expected = steps.map((_step, index) => lastOf(index));
        expect(await Promise.all(outcomes)).toEqual(expected.map((input) => (input < 0 ? `no ${input}` : input)));
        expect(runs).toEqual([...new Set(expected)]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("throttle", () => {
  it("throttle runs the first call at once, and the others together at the end of the window", async () => {
    const { task, runs } = recording(throttle.with({ ms: 50 }));
    await using app = await run(appOf(task), quiet);

    const results = Promise.all([1, 2, 3].map((input) => app.runTask(task, input)));
    await Promise.resolve();
    expect(runs).toEqual([1]);
    await jest.advanceTimersByTimeAsync(50);

    expect([await results, runs]).toEqual([
      [1, 3, 3],
      [1, 3],
    ]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it("throttle runs at once when the window is over and its timer is late, for those that wait as well", async () => {
    const { task, runs } = recording(throttle.with({ ms: 50 }));
    await using app = await run(appOf(task), quiet);
    const first = app.runTask(task, 1);
    const second = app.runTask(task, 2);
    const now = jest.spyOn(performance, "now").mockReturnValue(performance.now() + 60);

    const third = app.runTask(task, 3);

    expect(await Promise.all([first, second, third])).toEqual([1, 3, 3]);
    now.mockRestore();
    expect([runs, jest.getTimerCount()]).toEqual([[1, 3], 0]);
  });

  it("throttle refuses what waits when the run ends, and leaves no timer", async () => {
    const { task, runs } = recording(throttle.with({ ms: 50 }));
    const app = await run(appOf(task), silent);
    const first = app.runTask(task, 1);
    const waiting = rejectionOf(app.runTask(task, 2));

    await app.dispose();

    expect([await first, (await waiting).message]).toEqual([
      1,
      'Task "task" was not started: its run is being disposed of',
    ]);
    expect([jest.getTimerCount(), runs]).toEqual([0, [1]]);
  });

  it("throttle leaves the place of a call that has left to those that come after it", async () => {
    const { task, runs } = recording(throttle.with({ ms: 50 }));
    await using app = await run(appOf(task), silent);
    const controller = new AbortController();
    await app.runTask(task, 1);
    const left = rejectionOf(app.runTask(task, 2, { signal: controller.signal }));
    controller.abort(new Error("left"));
    await left;
    expect(jest.getTimerCount()).toBe(0);

    const last = app.runTask(task, 3);
    await jest.advanceTimersByTimeAsync(50);

    expect([await last, runs]).toEqual([3, [1, 3]]);
  });

  it("throttle never runs twice within its window, and gives every call the outcome of a later or equal one", async () => {
    const ms = 20;
    const calls = array(integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 40 });
    await assert(
      asyncProperty(calls, async (pauses) => {
        const startedAt: number[] = [];
        const task = r
          .task("task")
          .middleware([throttle.with({ ms })])
          .run(async (input: number) => {
            startedAt.push(performance.now());
            return input;
          })
          .build();
        await using app = await run(appOf(task), quiet);
        const outcomes: Promise<number>[] = [];
        for (const [index, pauseMs] of pauses.entries()) {
          await jest.advanceTimersByTimeAsync(pauseMs);
          outcomes.push(app.runTask(task, index));
        }
        await jest.advanceTimersByTimeAsync(ms);

        const results = await Promise.all(outcomes);
        expect(startedAt.slice(1).every((time, index) => time - (startedAt[index] as number) >= ms)).toBe(true);
        expect(results.every((result, index) => result >= index)).toBe(true);
        expect(results).toEqual([...results].sort((a, b) => a - b));
        expect([results[0], results.at(-1), new Set(results).size]).toEqual([0, pauses.length - 1, startedAt.length]);
      }),
      { numRuns: 50 },
    );
  });

  it("throttle keeps a call that is made while another runs", async () => {
    const gate = createDeferred();
    const runs: number[] = [];
    const task = r
      .task("task")
      .middleware([throttle.with({ ms: 50 })])
      .run(async (input: number) => {
        runs.push(input);
        await gate.promise;
        return input;
      })
      .build();
    await using app = await run(appOf(task), quiet);
    const results = Promise.all([1, 2].map((input) => app.runTask(task, input)));
    await jest.advanceTimersByTimeAsync(50);

    expect(runs).toEqual([1, 2]);
    gate.resolve();
    expect(await results).toEqual([1, 2]);
  });
});
