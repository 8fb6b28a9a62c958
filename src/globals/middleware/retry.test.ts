import { Errors, globals, r, run, type TaskCallOptions, type TunnelRunner } from "../../index";
import { appOf } from "../../__tests__/support/appOf";
import { createDeferred } from "../../__tests__/support/deferred";
import { rejectionOf, thrownBy } from "../../__tests__/support/failures";
import { quiet, tunnelOf } from "../../__tests__/support/tunnelPair";

const { retry } = globals.middleware.task;
const atOnce = { delayStrategy: () => 0 };

/** A task that fails a number of times, then says how often it ran. */
function flaky(failures: number, config: Parameters<typeof retry.with>[0] = atOnce) {
  const state = { runs: 0 };
  const task = r
    .task("flaky")
    .middleware([retry.with(config)])
    .run(async (input: string) => {
      state.runs += 1;
      if (state.runs <= failures) throw new Error(`failure ${state.runs}`);
      return `${input} ${state.runs}`;
    })
    .build();
  return { task, state };
}

describe("the retry middleware", () => {
  it("the retry middleware runs a task four times before it gives up, and rejects with the last error", async () => {
    const { task, state } = flaky(9);
    await using app = await run(appOf(task), quiet);

    await expect(app.runTask(task, "x")).rejects.toThrow("failure 4");
    expect(state.runs).toBe(4);
  });

  it("the retry middleware repeats a task with the same input until it succeeds", async () => {
    const { task } = flaky(2);
    await using app = await run(appOf(task), quiet);

    expect(await app.runTask(task, "input")).toBe("input 3");
  });

  it("the retry middleware needs neither a config nor to be registered, and waits 100, 200 and 400 ms", async () => {
    jest.useFakeTimers();
    try {
      let runs = 0;
      const task = r
        .task("task")
        .middleware([retry])
        .run(async () => {
          runs += 1;
          throw new Error("no");
        })
        .build();
      await using app = await run(appOf(task), quiet);
      const outcome = rejectionOf(app.runTask(task));

      const seen: number[] = [];
      for (const ms of [0, 99, 1, 199, 1, 399, 1]) {
        await jest.advanceTimersByTimeAsync(ms);
        seen.push(runs);
      }

      expect(seen).toEqual([1, 1, 2, 2, 3, 3, 4]);
      expect((await outcome).message).toBe("no");
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it("the retry middleware stops for errors that stopRetryIf picks, and for those that onlyIf does not", async () => {
    const stopped = flaky(9, { ...atOnce, stopRetryIf: ({ message }) => message === "failure 2" });
    const only = flaky(9, { ...atOnce, onlyIf: ({ message }) => message !== "failure 3" });
    await using first = await run(appOf(stopped.task), quiet);
    await using second = await run(appOf(only.task), quiet);

    await expect(first.runTask(stopped.task, "x")).rejects.toThrow("failure 2");
    await expect(second.runTask(only.task, "x")).rejects.toThrow("failure 3");
  });

  it("the retry middleware waits a random part of the delay with jitter", async () => {
    const random = jest.spyOn(Math, "random").mockReturnValue(0);
    try {
      const { task } = flaky(3, { delayStrategy: () => 1e9, jitter: true });
      await using app = await run(appOf(task), quiet);

      expect(await app.runTask(task, "x")).toBe("x 4");
    } finally {
      random.mockRestore();
    }
  });

  it("the retry middleware writes the number of the attempt and the last error into the journal", async () => {
    const { attempt, lastError } = retry.journalKeys;
    const seen: unknown[] = [];
    const task = r
      .task("task")
      .middleware([retry.with(atOnce)])
      .run(async (_input: void, _dependencies, { journal }) => {
        seen.push([journal.get(attempt), journal.get(lastError)?.message]);
        if (seen.length < 3) throw new Error(`failure ${seen.length}`);
      })
      .build();
    await using app = await run(appOf(task), quiet);

    await app.runTask(task);

    expect(seen).toEqual([
      [0, undefined],
      [1, "failure 1"],
      [2, "failure 2"],
    ]);
    expect([attempt.id, lastError.id]).toEqual([
      "globals.middleware.retry.attempt",
      "globals.middleware.retry.lastError",
    ]);
  });

  it("the retry middleware refuses options that cannot be meant, by name", () => {
    const error = thrownBy(() => retry.with({ retries: -1 }));

    expect(Errors.validationError.is(error)).toBe(true);
    expect(error.message).toBe(
      "Middleware config validation failed for globals.middleware.retry.task: retries must be a whole number, 0 or more, got -1.",
    );
    expect(thrownBy(() => retry.with({ delayStrategy: 5 as never })).message).toContain(
      "delayStrategy must be a function",
    );
  });
});

describe("the waits of the retry middleware", () => {
  it("the waits of the retry middleware end when the caller leaves, with the reason of its signal", async () => {
    const failed = createDeferred();
    const { task, state } = flaky(9, {
      delayStrategy: () => {
        failed.resolve();
        return 1e9;
      },
    });
    await using app = await run(appOf(task), { ...quiet, onUnhandledError: () => {} });
    const controller = new AbortController();
    const outcome = rejectionOf(app.runTask(task, "x", { signal: controller.signal }));
    await failed.promise;

    const reason = new Error("the caller left");
    controller.abort(reason);

    expect(await outcome).toBe(reason);
    expect(state.runs).toBe(1);
  });

  it("the waits of the retry middleware do not begin for a caller that leaves while the delay is worked out", async () => {
    const controller = new AbortController();
    const reason = new Error("the caller left");
    const { task } = flaky(9, {
      delayStrategy: () => {
        controller.abort(reason);
        return 1e9;
      },
    });
    await using app = await run(appOf(task), { ...quiet, onUnhandledError: () => {} });

    expect(await rejectionOf(app.runTask(task, "x", { signal: controller.signal }))).toBe(reason);
  });

  it("the waits of the retry middleware do not begin where the time of the call is up before they end", async () => {
    const { task, state } = flaky(9, { delayStrategy: () => 60_000 });
    await using app = await run(appOf(task), { ...quiet, onUnhandledError: () => {} });

    const error = await rejectionOf(app.runTask(task, "x", { timeoutMs: 30_000 }));

    expect([error.message, state.runs]).toEqual(["failure 1", 1]);
  });

  it("the waits of the retry middleware end with the run, with the error of the last attempt", async () => {
    const failed = createDeferred();
    const { task, state } = flaky(9, {
      delayStrategy: () => {
        failed.resolve();
        return 1e9;
      },
    });
    const app = await run(appOf(task), quiet);
    const outcome = rejectionOf(app.runTask(task, "x"));
    await failed.promise;

    await app.dispose();

    expect((await outcome).message).toBe("failure 1");
    expect(state.runs).toBe(1);
  });
});

describe("the retry middleware of resources", () => {
  it("the retry middleware of resources tries an init again", async () => {
    let runs = 0;
    const resource = r
      .resource("database")
      .middleware([globals.middleware.resource.retry.with(atOnce)])
      .init(async () => {
        runs += 1;
        if (runs < 3) throw new Error("no");
        return runs;
      })
      .build();
    await using app = await run(appOf(resource), quiet);

    expect(app.getResourceValue(resource)).toBe(3);
  });

  it("the retry middleware of resources waits no longer when the boot is aborted", async () => {
    const failed = createDeferred();
    const delayStrategy = () => {
      failed.resolve();
      return 1e9;
    };
    const resource = r
      .resource("database")
      .middleware([globals.middleware.resource.retry.with({ delayStrategy })])
      .init(async () => {
        throw new Error("no");
      })
      .build();
    const controller = new AbortController();
    const outcome = rejectionOf(run(appOf(resource), { ...quiet, signal: controller.signal }));
    await failed.promise;

    controller.abort();

    expect((await outcome).message).toBe('Resource "database" initialization failed: no');
  });
});

describe("the retry middleware on a routed task", () => {
  const phantom = (id: string, tags: Parameters<ReturnType<typeof r.task.phantom>["tags"]>[0] = []) =>
    r.task
      .phantom<void, string>(id)
      .middleware([retry.with({ ...atOnce, retries: 2 })])
      .tags([globals.tags.tunnelPolicy.with({ client: [retry] }), ...tags])
      .build();

  const refused = () => Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" });
  const fetchFailed = () => new TypeError("fetch failed", { cause: refused() });
  const overloaded = () => new Errors.TunnelError("OVERLOADED", "Too many requests in flight");
  const reset = () => Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
  const badGateway = () => new Errors.TunnelError("HTTP_ERROR", "Tunnel HTTP 502", undefined, { httpCode: 502 });
  const failed = () => new Errors.TunnelError("INTERNAL_ERROR", "Internal Error");
  const typed = () => new Errors.TunnelError("OVERLOADED", "sold out", undefined, { id: "shop.errors.soldOut" });
  const limited = () => Errors.rateLimitError.create({ limit: 1, resetTime: 0, retryAfterMs: 1 });

  async function runsOf(
    task: ReturnType<typeof phantom>,
    errorOf: () => Error,
    options?: TaskCallOptions,
  ): Promise<number> {
    let runs = 0;
    const tunnel: TunnelRunner = {
      mode: "client",
      tasks: [task],
      run: async () => {
        runs += 1;
        throw errorOf();
      },
    };
    await using app = await run(appOf(task, tunnelOf("tunnel", tunnel)), quiet);
    await rejectionOf(app.runTask(task, undefined, options));
    return runs;
  }

  it.each([
    ["a refused connection", refused, 3, 3],
    ["a refused connection of fetch", fetchFailed, 3, 3],
    ["a server that takes no more", overloaded, 3, 3],
    ["a connection that broke", reset, 1, 3],
    ["a proxy that lost its server", badGateway, 1, 3],
    ["a failure of the task", failed, 1, 1],
    ["a declared error with the code of a refusal", typed, 1, 1],
    ["a typed error of a middleware", limited, 1, 1],
    ["an error of the tunnel itself", () => new Error("x"), 1, 1],
  ])("the retry middleware on a routed task meets %s", async (_what, errorOf, plain, tagged) => {
    expect(await runsOf(phantom("remote"), errorOf)).toBe(plain);
    expect(await runsOf(phantom("remote", [globals.tags.idempotent]), errorOf)).toBe(tagged);
    expect(await runsOf(phantom("remote"), errorOf, { idempotencyKey: "order-1" })).toBe(tagged);
  });
});
