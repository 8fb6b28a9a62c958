import { Errors, globals, override, r, run, type ICacheInstance } from "../../index";
import { appOf } from "../../__tests__/support/appOf";
import { createDeferred, type Deferred } from "../../__tests__/support/deferred";
import { rejectionOf, thrownBy } from "../../__tests__/support/failures";
import { quiet } from "../../__tests__/support/tunnelPair";

const { cache } = globals.middleware.task;
const silent = { ...quiet, onUnhandledError: () => {} };
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A task that counts its runs. */
function counting(
  middleware: { readonly kind: "taskMiddleware"; readonly id: string; readonly $bare?: readonly [true] } = cache,
) {
  const runs: unknown[] = [];
  const task = r
    .task("counting")
    .middleware([middleware])
    .run(async (input: unknown): Promise<unknown> => {
      runs.push(input);
      return `run ${runs.length}`;
    })
    .build();
  return { task, runs };
}

describe("the cache", () => {
  it("the cache keeps results by input, and nothing has to be registered for it", async () => {
    const { task, runs } = counting();
    await using app = await run(appOf(task), quiet);

    const results = [];
    for (const input of [1, 2, 1, { a: 1 }, { a: 1 }]) results.push(await app.runTask(task, input));

    expect(results).toEqual(["run 1", "run 2", "run 1", "run 3", "run 3"]);
    expect(runs).toEqual([1, 2, { a: 1 }]);
  });

  it.each([30 * 86_400_000, Infinity])("a ttl of %d ms, more than a timer can hold, sets no timers", async (ttl) => {
    const { task, runs } = counting(cache.with({ ttl }));
    const warnings: string[] = [];
    const listen = (warning: Error) => warnings.push(warning.name);
    process.on("warning", listen);
    await using app = await run(appOf(task), quiet);

    await app.runTask(task, 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await app.runTask(task, 1);
    process.off("warning", listen);

    expect([runs, warnings]).toEqual([[1], []]);
  });

  it("the cache works for applications of 5.x, which register its middleware and its resource", async () => {
    const { task, runs } = counting();
    await using app = await run(
      appOf(globals.resources.cache.with({ defaultOptions: { ttl: 60_000 } }), cache, task),
      quiet,
    );

    await app.runTask(task, 1);
    await app.runTask(task, 1);

    expect(runs).toEqual([1]);
    const value = app.getResourceValue(globals.resources.cache);
    expect([[...value.map.keys()], value.defaultOptions]).toEqual([["counting"], { ttl: 60_000 }]);
  });

  it.each<[string, unknown, unknown]>([
    ["dates", new Date(1), new Date(2)],
    ["maps", new Map([["a", 1]]), new Map([["a", 2]])],
    ["a set and a list", new Set([1]), [1]],
    ["no number and null", NaN, null],
    ["big numbers and text", 1n, "1"],
    ["a hole and null", [undefined], [null]],
    ["a date and a record that looks like one", new Date(0), { __type: "Date", value: "1970-01-01T00:00:00.000Z" }],
  ])("the cache tells %s apart", async (_what, first, second) => {
    const { task } = counting();
    await using app = await run(appOf(task), quiet);

    expect([await app.runTask(task, first), await app.runTask(task, second), await app.runTask(task, first)]).toEqual([
      "run 1",
      "run 2",
      "run 1",
    ]);
  });

  it("the cache says what to do where it cannot tell inputs apart", async () => {
    const { task } = counting();
    const keyed = counting(cache.with({ keyBuilder: (taskId, input: () => string) => `${taskId} ${input()}` }));
    await using app = await run(appOf(task), silent);
    await using other = await run(appOf(keyed.task), quiet);

    await expect(app.runTask(task, () => "x")).rejects.toThrow(
      'The cache cannot tell the inputs of task "counting" apart.\n  fix: give it a key',
    );
    expect([await other.runTask(keyed.task, () => "x"), await other.runTask(keyed.task, () => "x")]).toEqual([
      "run 1",
      "run 1",
    ]);
  });

  it.each([undefined, null, 0, "", false])("the cache keeps a result of %p", async (result) => {
    let runs = 0;
    const task = r
      .task("task")
      .middleware([cache])
      .run(async () => {
        runs += 1;
        return result;
      })
      .build();
    await using app = await run(appOf(task), quiet);

    expect([await app.runTask(task), await app.runTask(task), runs]).toEqual([result, result, 1]);
  });

  it("the cache keeps no errors, and writes into the journal where the result came from", async () => {
    const hits: unknown[] = [];
    let runs = 0;
    const watch = r.middleware
      .task("watch")
      .run(async ({ next, journal }) => {
        try {
          return await next();
        } finally {
          hits.push(journal.get(cache.journalKeys.hit));
        }
      })
      .build();
    const task = r
      .task("task")
      .middleware([watch, cache])
      .run(async () => {
        runs += 1;
        if (runs === 1) throw new Error("no");
        return runs;
      })
      .build();
    await using app = await run(appOf(watch, task), silent);

    await rejectionOf(app.runTask(task));

    expect([await app.runTask(task), await app.runTask(task), hits]).toEqual([2, 2, [false, false, true]]);
  });

  it("the cache makes an instance per task, whose options are its own over those of the resource over the built-in ones", async () => {
    const given: unknown[] = [];
    const instance = (): ICacheInstance => {
      const map = new Map<string, unknown>();
      return {
        get: async (key) => map.get(key),
        set: async (key, value) => map.set(key, value),
        clear: async () => map.clear(),
      };
    };
    const factory = override(globals.tasks.cacheFactory, {
      run: async (options) => {
        given.push(options);
        return instance();
      },
    });
    const { task, runs } = counting(cache.with({ max: 7, keyBuilder: (id) => id, custom: "x" }));
    const root = r
      .resource("app")
      .register([globals.resources.cache.with({ defaultOptions: { ttl: 5, max: 6 } }), task])
      .overrides([factory])
      .build();
    await using app = await run(root, quiet);

    await Promise.all([app.runTask(task, 1), app.runTask(task, 1)]);
    await app.runTask(task, 1);

    expect(given).toEqual([{ ttl: 5, max: 7, ttlAutopurge: true, custom: "x" }]);
    // Two calls at a time found nothing.
    expect(runs).toEqual([1, 1]);
  });

  it("the cache takes any task of the id of its factory as an override, as applications of 5.x write it", async () => {
    class Store implements ICacheInstance {
      readonly #kept = new Map<string, unknown>();
      get(key: string): unknown {
        return this.#kept.get(key);
      }
      set(key: string, value: unknown): void {
        this.#kept.set(key, value);
      }
      clear(): void {
        this.#kept.clear();
      }
    }
    const made: Store[] = [];
    const factory = r
      .task("globals.tasks.cacheFactory")
      .run(async (_options: object) => {
        made.push(new Store());
        return made[0];
      })
      .build();
    const { task, runs } = counting();
    const root = r.resource("app").register([globals.resources.cache, cache, task]).overrides([factory]).build();
    await using app = await run(root, quiet);

    await app.runTask(task, 1);
    await app.runTask(task, 1);

    expect([made.length, runs]).toEqual([1, [1]]);
  });

  it("the cache awaits has of an instance, and clears all of them when the run ends", async () => {
    const cleared = jest.fn();
    const factory = override(globals.tasks.cacheFactory, {
      run: async () => ({
        has: async () => false,
        get: () => "wrong",
        set: () => {},
        clear: async () => cleared() as unknown,
      }),
    });
    const { task } = counting();
    const root = r.resource("app").register([task]).overrides([factory]).build();
    const app = await run(root, quiet);

    expect(await app.runTask(task, 1)).toBe("run 1");
    await app.dispose();

    expect(cleared).toHaveBeenCalledTimes(1);
  });

  it("the cache tries again to make an instance after its factory failed", async () => {
    let tries = 0;
    const factory = override(globals.tasks.cacheFactory, {
      run: async () => {
        tries += 1;
        if (tries === 1) throw new Error("the store is down");
        return { get: () => "kept", set: () => {}, clear: () => {} };
      },
    });
    const { task } = counting();
    await using app = await run(r.resource("app").register([task]).overrides([factory]).build(), silent);

    await expect(app.runTask(task, 1)).rejects.toThrow("the store is down");
    expect(await app.runTask(task, 1)).toBe("kept");
  });

  it("the cache keeps no process alive with what it keeps", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const { task } = counting();
    await using app = await run(appOf(task), quiet);
    const before = timers();

    for (const input of [1, 2, 3]) await app.runTask(task, input);

    expect(timers()).toBe(before);
  });

  it("the cache refuses options that cannot be meant", () => {
    const error = thrownBy(() => cache.with({ singleFlight: "yes" as never }));

    expect(Errors.validationError.is(error) && error.message).toContain(
      'singleFlight must be true or false, got "yes".',
    );
  });
});

describe("the cache over time", () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ["nextTick", "queueMicrotask", "setImmediate"] });
    // To lru-cache, what is kept since 0 is kept for ever.
    jest.advanceTimersByTime(1);
  });
  afterEach(() => void jest.useRealTimers());

  it("the cache over time forgets results after ten seconds", async () => {
    const { task } = counting();
    await using app = await run(appOf(task), quiet);

    const results = [await app.runTask(task, 1)];
    await jest.advanceTimersByTimeAsync(9_000);
    results.push(await app.runTask(task, 1));
    await jest.advanceTimersByTimeAsync(1_001);
    results.push(await app.runTask(task, 1));

    expect(results).toEqual(["run 1", "run 1", "run 2"]);
  });

  it("the cache over time gives stale results while it makes a new one in the background", async () => {
    const { task, runs } = counting(cache.with({ ttl: 100, staleWhileRevalidateMs: 1000 }));
    await using app = await run(appOf(task), quiet);
    const call = () => app.runTask(task, 1);

    expect(await call()).toBe("run 1");
    await jest.advanceTimersByTimeAsync(150);
    expect(await Promise.all([call(), call()])).toEqual(["run 1", "run 1"]);
    await settle();

    expect([await call(), runs.length]).toEqual(["run 2", 2]);
    await jest.advanceTimersByTimeAsync(1_101);
    expect(await call()).toBe("run 3");
  });

  it("the cache over time keeps the stale result when a new one cannot be made, and says so in the log", async () => {
    const warned: unknown[] = [];
    let runs = 0;
    const task = r
      .task("task")
      .middleware([cache.with({ ttl: 100, staleWhileRevalidateMs: 1000 })])
      .run(async () => {
        runs += 1;
        if (runs === 2) throw new Error("no");
        return runs;
      })
      .build();
    const listener = r
      .resource("listener")
      .dependencies({ logger: globals.resources.logger })
      .init(async (_config: void, { logger }) =>
        logger.onLog(({ level, message }) => void (level === "warn" && warned.push(message))),
      )
      .build();
    await using app = await run(appOf(task, listener), silent);
    await app.runTask(task);
    await jest.advanceTimersByTimeAsync(150);
    await app.runTask(task);
    await settle();

    expect(await app.runTask(task)).toBe(1);
    expect(warned).toEqual(['A cached result of task "task" could not be made anew; the stale one stays.']);
  });

  it("the cache over time stops making a new result when the run ends", async () => {
    const signals: AbortSignal[] = [];
    const task = r
      .task("task")
      .middleware([cache.with({ ttl: 100, staleWhileRevalidateMs: 1000 })])
      .run(async (_input: void, _dependencies, { signal }) => {
        signals.push(signal);
        return signals.length === 1 ? "kept" : new Promise<string>(() => {});
      })
      .build();
    const app = await run(appOf(task), silent);
    await app.runTask(task);
    await jest.advanceTimersByTimeAsync(150);
    await app.runTask(task);

    await app.dispose();

    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
  });
});

describe("single flight", () => {
  /** A task that runs until it is told to end. */
  function gatedTask() {
    const runs: { readonly gate: Deferred<string>; readonly signal: AbortSignal }[] = [];
    const task = r
      .task("task")
      .middleware([cache.with({ singleFlight: true })])
      .run(async (_input: number, _dependencies, { signal }) => {
        const gate = createDeferred<string>();
        runs.push({ gate, signal });
        return gate.promise;
      })
      .build();
    return { task, runs };
  }

  it("single flight has calls that find nothing share one run", async () => {
    const { task, runs } = gatedTask();
    await using app = await run(appOf(task), quiet);

    const results = Promise.all([1, 1, 2].map((input) => app.runTask(task, input)));
    await settle();
    expect(runs).toHaveLength(2);
    runs.forEach(({ gate }, index) => gate.resolve(`run ${index}`));

    expect(await results).toEqual(["run 0", "run 0", "run 1"]);
    expect(await app.runTask(task, 1)).toBe("run 0");
  });

  it("single flight shares a failure, and runs again after it", async () => {
    const { task, runs } = gatedTask();
    await using app = await run(appOf(task), silent);
    const outcomes = [1, 1].map((input) => rejectionOf(app.runTask(task, input)));
    await settle();
    const failure = new Error("no");

    runs[0]?.gate.reject(failure);

    expect(await Promise.all(outcomes)).toEqual([failure, failure]);
    const again = app.runTask(task, 1);
    await settle();
    runs[1]?.gate.resolve("works");
    expect(await again).toBe("works");
  });

  it("single flight goes on when the call that began it leaves, and stops when the last one does", async () => {
    const { task, runs } = gatedTask();
    await using app = await run(appOf(task), silent);
    const controllers = [new AbortController(), new AbortController()];
    const outcomes = controllers.map(({ signal }) => rejectionOf(app.runTask(task, 1, { signal })));
    await settle();

    controllers[0]?.abort(new Error("first left"));
    expect((await outcomes[0])?.message).toBe("first left");
    expect(runs[0]?.signal.aborted).toBe(false);
    controllers[1]?.abort(new Error("last left"));
    expect((await outcomes[1])?.message).toBe("last left");
    expect(runs[0]?.signal.aborted).toBe(true);

    const next = app.runTask(task, 1);
    await settle();
    runs[1]?.gate.resolve("new");
    expect(await next).toBe("new");
  });
});
