import { Errors, globals, r, run } from "../../index";
import { appOf } from "../../__tests__/support/appOf";
import { rejectionOf, thrownBy } from "../../__tests__/support/failures";
import { quiet } from "../../__tests__/support/tunnelPair";

const { timeout, retry } = globals.middleware.task;
const never = () => new Promise<never>(() => {});

describe("the timeout middleware", () => {
  it("the timeout middleware rejects with timeoutError, whose name and message are those of 5.x", async () => {
    const task = r
      .task("slow")
      .middleware([timeout.with({ ttl: 1 })])
      .run(never)
      .build();
    await using app = await run(appOf(task), quiet);

    const error = await rejectionOf(app.runTask(task));

    expect(Errors.timeoutError.is(error) && error.data).toEqual({ timeoutMs: 1, id: "slow" });
    expect([error.name, error.message]).toEqual(["TimeoutError", "Operation timed out after 1ms"]);
  });

  it("the timeout middleware aborts the signal of the body and of the tasks that it calls", async () => {
    const reasons: unknown[] = [];
    const waitForAbort = (signal: AbortSignal) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reasons.push(signal.reason);
          reject(new Error("stopped"));
        });
      });
    const inner = r
      .task("inner")
      .run(async (_input: void, _dependencies, { signal }) => waitForAbort(signal))
      .build();
    const outer = r
      .task("outer")
      .dependencies({ inner })
      .middleware([timeout.with({ ttl: 1 })])
      .run(async (_input: void, { inner: call }, { signal }) => Promise.all([waitForAbort(signal), call()]))
      .build();
    await using app = await run(appOf(inner, outer), { ...quiet, onUnhandledError: () => {} });

    const error = await rejectionOf(app.runTask(outer));

    expect(reasons).toEqual([error, error]);
  });

  it("the timeout middleware leaves no timer and no listener behind when a task settles in time", async () => {
    jest.useFakeTimers();
    try {
      const controllers: (AbortController | undefined)[] = [];
      const task = r
        .task("quick")
        .middleware([timeout.with({ ttl: 50 })])
        .run(async (input: number, _dependencies, { journal }) => {
          controllers.push(journal.get(timeout.journalKeys.abortController));
          if (input < 0) throw new Error("negative");
          return input;
        })
        .build();
      await using app = await run(appOf(task), quiet);

      expect(await app.runTask(task, 1)).toBe(1);
      await expect(app.runTask(task, -1)).rejects.toThrow("negative");

      expect(jest.getTimerCount()).toBe(0);
      expect(controllers.map((each) => each?.signal.aborted)).toEqual([false, false]);
    } finally {
      jest.useRealTimers();
    }
  });

  it.each([0, -5])("the timeout middleware with %p ms does not start the task", async (ttl) => {
    const body = jest.fn(async () => {});
    const task = r
      .task("task")
      .middleware([timeout.with({ ttl })])
      .run(body)
      .build();
    await using app = await run(appOf(task), quiet);

    await expect(app.runTask(task)).rejects.toThrow("Operation timed out after 0ms");
    expect(body).not.toHaveBeenCalled();
  });

  it("the timeout middleware ends at once when its controller is aborted from inside", async () => {
    const task = r
      .task("task")
      .middleware([timeout.with({ ttl: 1e9 })])
      .run(async (_input: void, _dependencies, { journal }) => {
        journal.get(timeout.journalKeys.abortController)?.abort();
        return never();
      })
      .build();
    await using app = await run(appOf(task), quiet);

    expect(Errors.timeoutError.is(await rejectionOf(app.runTask(task)))).toBe(true);
  });

  it("the timeout middleware ends at once when the caller leaves, whatever the body does", async () => {
    const task = r
      .task("task")
      .middleware([timeout.with({ ttl: 1e9 })])
      .run(never)
      .build();
    await using app = await run(appOf(task), { ...quiet, onUnhandledError: () => {} });
    const controller = new AbortController();
    const outcome = rejectionOf(app.runTask(task, undefined, { signal: controller.signal }));
    const reason = new Error("the caller left");

    controller.abort(reason);

    expect(await outcome).toBe(reason);
  });

  it("the timeout middleware allows five seconds where it is attached without a config", async () => {
    jest.useFakeTimers();
    try {
      const task = r
        .task("task")
        .middleware([timeout.with({} as { ttl: number })])
        .run(never)
        .build();
      await using app = await run(appOf(task), quiet);
      const outcome = rejectionOf(app.runTask(task));

      await jest.advanceTimersByTimeAsync(5000);

      expect((await outcome).message).toBe("Operation timed out after 5000ms");
    } finally {
      jest.useRealTimers();
    }
  });

  it("the timeout middleware refuses a ttl that is no number", () => {
    expect(thrownBy(() => timeout.with({ ttl: "5s" as never })).message).toBe(
      'Middleware config validation failed for globals.middleware.timeout.task: ttl must be a number of milliseconds, got "5s".',
    );
  });

  it("the timeout middleware of resources fails the boot, and names the resource", async () => {
    const resource = r
      .resource("slow")
      .middleware([globals.middleware.resource.timeout.with({ ttl: 1 })])
      .init(never)
      .build();

    const error = await rejectionOf(run(appOf(resource), quiet));

    expect(Errors.timeoutError.is(error) && error.data).toEqual({ timeoutMs: 1, id: "slow" });
  });
});

describe("retry around timeout", () => {
  const attempts = (body: (attempt: number) => Promise<string>) => {
    let runs = 0;
    return r
      .task("task")
      .middleware([retry.with({ delayStrategy: () => 0 }), timeout.with({ ttl: 20 })])
      .run(async () => body(runs++))
      .build();
  };

  it("retry around timeout repeats what failed otherwise, each attempt with a controller of its own", async () => {
    const controllers = new Set<unknown>();
    const task = r
      .task("task")
      .middleware([retry.with({ delayStrategy: () => 0 }), timeout.with({ ttl: 1e6 })])
      .run(async (_input: void, _dependencies, { journal }) => {
        controllers.add(journal.get(timeout.journalKeys.abortController));
        if (controllers.size < 4) throw new Error("no");
        return "done";
      })
      .build();
    await using app = await run(appOf(task), quiet);

    expect(await app.runTask(task)).toBe("done");
    expect(controllers.size).toBe(4);
  });

  it("retry around timeout does not repeat an attempt that timed out", async () => {
    let runs = 0;
    const task = attempts(async (attempt) => {
      runs += 1;
      return attempt === 1 ? never() : Promise.reject(new Error("no"));
    });
    await using app = await run(appOf(task), quiet);

    expect(Errors.timeoutError.is(await rejectionOf(app.runTask(task)))).toBe(true);
    expect(runs).toBe(2);
  });
});
