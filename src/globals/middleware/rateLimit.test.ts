import { array, assert, asyncProperty, constantFrom, integer, record } from "fast-check";
import { Errors, globals, r, run } from "../../index";
import { appOf } from "../../__tests__/support/appOf";
import { rejectionOf, thrownBy } from "../../__tests__/support/failures";
import { quiet } from "../../__tests__/support/tunnelPair";

const { rateLimit } = globals.middleware.task;
type Config = Parameters<typeof rateLimit.with>[0];
const startMs = Date.UTC(2031, 0, 1);

const limited = (config: Config, id = "limited") =>
  r
    .task(id)
    .middleware([rateLimit.with(config)])
    .run(async (input: string) => {
      if (input === "fails") throw new Error("no");
      return input;
    })
    .build();

describe("the rate limit", () => {
  beforeEach(
    () => void jest.useFakeTimers({ now: startMs, doNotFake: ["nextTick", "queueMicrotask", "setImmediate"] }),
  );
  afterEach(() => void jest.useRealTimers());

  it("the rate limit refuses the second call of a window for one, and says until when", async () => {
    const task = limited({ windowMs: 1000, max: 1 });
    await using app = await run(appOf(task), quiet);

    expect(await app.runTask(task, "a")).toBe("a");
    jest.advanceTimersByTime(400);
    const error = await rejectionOf(app.runTask(task, "b"));

    expect(Errors.rateLimitError.is(error) && error.data).toEqual({
      limit: 1,
      resetTime: startMs + 1000,
      retryAfterMs: 600,
    });
    expect([error.name, error.message]).toEqual([
      "RateLimitError",
      "Rate limit exceeded. Try again after 2031-01-01T00:00:01.000Z",
    ]);
    jest.advanceTimersByTime(601);
    expect(await app.runTask(task, "c")).toBe("c");
  });

  it("the rate limit counts calls that fail, and shares what tasks with one config count", async () => {
    const shared = { windowMs: 1000, max: 2 };
    const [first, second, apart] = [
      limited(shared, "first"),
      limited(shared, "second"),
      limited({ ...shared }, "apart"),
    ];
    await using app = await run(appOf(first, second, apart), quiet);

    await rejectionOf(app.runTask(first, "fails"));
    await app.runTask(second, "a");

    expect(Errors.rateLimitError.is(await rejectionOf(app.runTask(first, "b")))).toBe(true);
    expect(await app.runTask(apart, "c")).toBe("c");
    expect(app.getResourceValue(globals.resources.rateLimit).states.get(shared)).toMatchObject({
      count: 2,
      resetTime: startMs + 1000,
    });
  });

  it("the rate limit of one run knows nothing of another", async () => {
    const task = limited({ windowMs: 1000, max: 1 });
    await using first = await run(appOf(task), quiet);
    await using second = await run(appOf(task), quiet);

    expect([await first.runTask(task, "a"), await second.runTask(task, "b")]).toEqual(["a", "b"]);
  });

  it("the rate limit writes into the journal what is left, until when, and of how much", async () => {
    const seen: unknown[] = [];
    const { remaining, resetTime, limit } = rateLimit.journalKeys;
    const watch = r.middleware
      .task("watch")
      .run(async ({ next, journal }) => {
        try {
          return await next();
        } finally {
          seen.push([journal.get(remaining), journal.get(resetTime), journal.get(limit)]);
        }
      })
      .build();
    const task = r
      .task("task")
      .middleware([watch, rateLimit.with({ windowMs: 10, max: 2 })])
      .run(async () => {})
      .build();
    await using app = await run(appOf(watch, task), quiet);

    await app.runTask(task);
    await app.runTask(task);
    await rejectionOf(app.runTask(task));

    expect(seen).toEqual([
      [1, startMs + 10, 2],
      [0, startMs + 10, 2],
      [0, startMs + 10, 2],
    ]);
  });

  it("the rate limit counts by key, which sees the input and where the call came from", async () => {
    const callers: unknown[] = [];
    const task = limited({
      windowMs: 1000,
      max: 1,
      key(input: string, caller) {
        callers.push(caller);
        return input;
      },
    });
    await using app = await run(appOf(task), quiet);

    expect([await app.runTask(task, "a"), await app.runTask(task, "b")]).toEqual(["a", "b"]);
    expect(Errors.rateLimitError.is(await rejectionOf(app.runTask(task, "a")))).toBe(true);
    expect(callers[0]).toEqual({ origin: "local" });
  });

  it("the rate limit remembers a bounded number of keys, and forgets the one that was used least recently", async () => {
    const config: Config = { windowMs: 1000, max: 1, maxKeys: 2, key: (input: string) => input };
    const task = limited(config);
    await using app = await run(appOf(task), quiet);

    for (const input of ["a", "b"]) await app.runTask(task, input);
    await rejectionOf(app.runTask(task, "a"));
    await app.runTask(task, "c");

    const { statesByKey } = app.getResourceValue(globals.resources.rateLimit);
    expect([...(statesByKey.get(config)?.keys() ?? [])]).toEqual(["a", "c"]);
  });

  it.each<[string, unknown, string]>([
    ["no config", undefined, "requires .with({ windowMs, max }) configuration."],
    ["null", null, "requires .with({ windowMs, max }) configuration."],
    ["no window", { max: 1 }, "requires a positive number for config.windowMs."],
    ["a window for ever", { max: 1, windowMs: Infinity }, "requires a positive number for config.windowMs."],
    ["a limit of 0", { max: 0, windowMs: 1 }, "requires a positive number for config.max."],
    ["no room for keys", { max: 1, windowMs: 1, maxKeys: 0 }, "requires a positive number for config.maxKeys."],
    ["another window", { max: 1, windowMs: 1, window: "x" }, 'requires "fixed" or "sliding" for config.window.'],
    ["a key that is no function", { max: 1, windowMs: 1, key: "x" }, "requires a function for config.key."],
  ])("the rate limit refuses %s", (_what, config, message) => {
    const error = thrownBy(() => rateLimit.with(config as Config));

    expect(Errors.validationError.is(error)).toBe(true);
    expect(error.message).toBe(
      `Middleware config validation failed for globals.middleware.rateLimit: rateLimitTaskMiddleware ${message}`,
    );
  });

  it("the rate limit refuses to run where it is attached without a config", async () => {
    const task = r
      .task("task")
      .middleware([rateLimit as never])
      .run(async () => {})
      .build();
    await using app = await run(appOf(task), quiet);

    await expect(app.runTask(task)).rejects.toThrow(
      new TypeError("rateLimitTaskMiddleware requires a positive number for config.windowMs."),
    );
  });

  it("the rate limit never admits more than its maximum in a window, whatever comes when", async () => {
    const calls = array(record({ afterMs: integer({ min: 0, max: 60 }), key: constantFrom("a", "b") }), {
      maxLength: 60,
    });
    await assert(
      asyncProperty(
        constantFrom("fixed" as const, "sliding" as const),
        integer({ min: 1, max: 5 }),
        integer({ min: 1, max: 100 }),
        calls,
        async (window, max, windowMs, steps) => {
          const task = limited({ window, max, windowMs, key: (input: string) => input });
          await using app = await run(appOf(task), quiet);
          const admitted: Record<string, number[]> = { a: [], b: [] };
          for (const { afterMs, key } of steps) {
            jest.advanceTimersByTime(afterMs);
            const now = Date.now();
            const outcome = await app.runTask(task, key).catch((error: unknown) => error);
            const inWindow = admitted[key] as number[];
            if (outcome === key) inWindow.push(now);
            // What is refused is told a time at which it would not have been.
            else if (Errors.rateLimitError.is(outcome)) expect(outcome.data.retryAfterMs).toBeLessThanOrEqual(windowMs);
            else throw outcome;
          }
          for (const times of Object.values(admitted)) {
            if (window === "sliding") {
              for (const from of times) {
                expect(times.filter((time) => time >= from && time < from + windowMs).length).toBeLessThanOrEqual(max);
              }
              continue;
            }
            // Fixed windows begin with the first call after the one before has ended.
            for (let rest = times; rest.length > 0;) {
              const end = (rest[0] as number) + windowMs;
              expect(rest.filter((time) => time <= end).length).toBeLessThanOrEqual(max);
              rest = rest.filter((time) => time > end);
            }
          }
        },
      ),
      { numRuns: 80 },
    );
  });

  it("the sliding window admits a call as soon as it said that it would", async () => {
    const task = limited({ windowMs: 100, max: 2, window: "sliding" });
    await using app = await run(appOf(task), quiet);
    await app.runTask(task, "a");
    jest.advanceTimersByTime(60);
    await app.runTask(task, "b");
    const refused = await rejectionOf(app.runTask(task, "c"));

    expect(Errors.rateLimitError.is(refused) && refused.data.retryAfterMs).toBe(40);
    jest.advanceTimersByTime(40);
    expect(await app.runTask(task, "d")).toBe("d");
    expect(Errors.rateLimitError.is(await rejectionOf(app.runTask(task, "e")))).toBe(true);
  });
});
