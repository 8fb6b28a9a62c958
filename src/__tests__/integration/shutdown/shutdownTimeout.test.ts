import { CancellationError, Errors, globals, r, run } from "../../../index";
import { appOf } from "../../support/appOf";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { startProgram } from "../../support/program";

describe("a process that is asked to stop, and something that never settles", () => {
  const never = "new Promise(() => {})";
  const options = `{ shutdownTimeoutMs: 50 }`;
  const prelude = `
    const tell = (app) => (app.logger.onLog(({ level, message }) => level === "error" && log(message)), app);
    const traced = (id) => r.resource(id).init(async () => log("+" + id)).dispose(async () => log("-" + id));
  `;

  it("a process that is asked to stop while something never settles names a dispose that is stuck, disposes of the other runs and exits with 1", async () => {
    const program = startProgram(`${prelude}
      const stuck = r.resource("stuck").init(async () => {}).dispose(() => ${never}).build();
      tell(await run(traced("one").register([stuck]).build(), ${options}));
      await run(traced("two").build());
      log("ready");
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");

    expect(await program.exited).toEqual([1, null]);
    expect(program.lines()).toEqual([
      "+one",
      "+two",
      "ready",
      "-one",
      'Shutting down (SIGTERM) took longer than 50 ms. Not settled: the dispose of "stuck".',
      "  fix: make it settle, or give it more time with run(app, { shutdownTimeoutMs }).",
      "-two",
    ]);
  });

  it("a process that is asked to stop while something never settles names an init that is stuck, rolls back the others and exits with 1", async () => {
    const program = startProgram(`${prelude}
      const first = traced("first").build();
      const stuck = r.resource("stuck").init(() => { log("ready"); return ${never}; }).build();
      const logging = r.resource("logging").dependencies({ logger: globals.resources.logger })
        .init(async (_config, { logger }) => tell({ logger })).build();
      await run(traced("app").register([logging, first, stuck]).build(), ${options});
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");

    expect(await program.exited).toEqual([1, null]);
    expect(program.lines()).toEqual([
      "+first",
      "ready",
      'Shutting down (SIGTERM) took longer than 50 ms. Not settled: the init of "stuck".',
      "  fix: make it settle, or give it more time with run(app, { shutdownTimeoutMs }).",
      "-first",
    ]);
  });

  it("a process that is asked to stop while something never settles waits for a run that is being disposed of by hand, and disposes of nothing twice", async () => {
    const program = startProgram(`${prelude}
      const app = await run(r.resource("app").dispose(async () => {
        log("ready");
        await new Promise((resolve) => process.once("SIGTERM", () => setTimeout(resolve, 20)));
        log("-app");
      }).build());
      await app.dispose();
    `);

    await program.printed("ready");
    program.child.kill("SIGTERM");

    expect(await program.exited).toEqual([0, null]);
    expect(program.lines()).toEqual(["ready", "-app"]);
  });
});

describe("shutdownTimeoutMs", () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ["queueMicrotask", "nextTick"] }));
  afterEach(() => void jest.useRealTimers());

  it("shutdownTimeoutMs gives an aborted boot 30 s by default, then names the hook that does not settle, and rolls back", async () => {
    const disposed = jest.fn(async () => {});
    const aborter = new AbortController();
    const ready = r
      .hook("stuck")
      .on(globals.events.ready)
      .run(() => new Promise(() => {}))
      .build();
    const first = r
      .resource("first")
      .init(async () => {})
      .dispose(disposed)
      .build();

    const failure = rejectionOf(run(appOf(ready, first), { signal: aborter.signal }));
    await jest.advanceTimersByTimeAsync(0);
    aborter.abort();
    await jest.advanceTimersByTimeAsync(29_999);
    expect(disposed).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    const error = await failure;

    expect(error).toBeInstanceOf(CancellationError);
    expect(error.message).toContain('Not settled: hook "stuck" on "globals.events.ready".');
    expect(Errors.shutdownTimeoutError.is(error.cause) && error.cause.data).toEqual({
      reason: "the boot was aborted",
      timeoutMs: 30_000,
      pending: ['hook "stuck" on "globals.events.ready"'],
    });
    expect(disposed).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it("shutdownTimeoutMs names an init that is stuck in what run rejects with", async () => {
    const exit = jest.spyOn(process, "exit").mockImplementation(() => undefined as never);
    const stuck = r
      .resource("stuck")
      .init(() => new Promise(() => {}))
      .build();

    const failure = rejectionOf(run(appOf(stuck), { shutdownTimeoutMs: 50 }));
    await jest.advanceTimersByTimeAsync(0);
    process.emit("SIGTERM");
    await jest.advanceTimersByTimeAsync(50);
    const error = await failure;

    expect(error).toMatchObject({ id: "runner.errors.cancellation", data: { reason: "SIGTERM" } });
    expect(error.message).toContain(
      'SIGTERM. Shutting down (SIGTERM) took longer than 50 ms. Not settled: the init of "stuck".',
    );
    expect(exit.mock.calls).toEqual([[1]]);
    exit.mockRestore();
  });

  it("shutdownTimeoutMs disposes of a resource whose init ends after the boot was aborted", async () => {
    const gate = createDeferred<string>();
    const disposed = jest.fn(async (_value: string) => {});
    const aborter = new AbortController();
    const late = r
      .resource("late")
      .init(() => gate.promise)
      .dispose(disposed)
      .build();

    const failure = rejectionOf(run(appOf(late), { signal: aborter.signal, shutdownTimeoutMs: 5 }));
    await jest.advanceTimersByTimeAsync(0);
    aborter.abort();
    await jest.advanceTimersByTimeAsync(5);
    await failure;
    gate.resolve("value");
    await jest.advanceTimersByTimeAsync(0);

    expect(disposed.mock.calls.map(([value]) => value)).toEqual(["value"]);
  });

  it("shutdownTimeoutMs ends the rollback of a failed boot, whose error stands", async () => {
    const stuck = r
      .resource("stuck")
      .init(async () => {})
      .dispose(() => new Promise(() => {}))
      .build();
    const broken = r
      .resource("broken")
      .dependencies({ stuck })
      .init(() => Promise.reject(new Error("boom")))
      .build();

    const failure = rejectionOf(run(appOf(stuck, broken), { shutdownTimeoutMs: 100 }));
    await jest.advanceTimersByTimeAsync(100);

    expect((await failure).message).toBe('Resource "broken" initialization failed: boom');
  });

  it("shutdownTimeoutMs counts after the longest drain of a server", async () => {
    const exit = jest.spyOn(process, "exit").mockImplementation(() => undefined as never);
    const server = r
      .resource("server")
      .dependencies({ store: globals.resources.store })
      .init(async (_config, { store }) => store.addDrain({ longestMs: 500, drain: () => new Promise(() => {}) }))
      .build();
    await run(appOf(server), { shutdownTimeoutMs: 100 });

    process.emit("SIGTERM");
    await jest.advanceTimersByTimeAsync(599);
    expect(exit).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);

    expect(exit.mock.calls).toEqual([[1]]);
    exit.mockRestore();
  });

  it("shutdownTimeoutMs must be a number of milliseconds", async () => {
    const error = await rejectionOf(run(appOf(), { shutdownTimeoutMs: "30s" as never }));

    expect(error.message).toBe(
      'run(app, options).shutdownTimeoutMs must be a number of milliseconds, 0 or more, got "30s".',
    );
  });
});

describe("an init that takes long", () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ["queueMicrotask", "nextTick"] }));
  afterEach(() => void jest.useRealTimers());

  it.each(["sequential", "parallel"] as const)("an init that takes long is warned of by name: %s", async (initMode) => {
    const gate = createDeferred();
    const warnings: unknown[] = [];
    const logging = r
      .resource("logging")
      .dependencies({ logger: globals.resources.logger })
      .init(async (_config, { logger }) =>
        logger.onLog(({ level, message }) => void (level === "warn" && warnings.push(message))),
      )
      .build();
    const slow = r
      .resource("slow")
      .dependencies({ logging })
      .init(() => gate.promise)
      .build();

    const running = run(appOf(logging, slow), { initMode });
    await jest.advanceTimersByTimeAsync(1_990);
    expect(warnings).toEqual([]);
    await jest.advanceTimersByTimeAsync(20);
    gate.resolve();
    await using app = await running;

    expect(warnings).toEqual(['Waiting for resource "slow" to initialise.']);
    expect(jest.getTimerCount()).toBe(0);
    expect(app.store.isLocked).toBe(true);
  });
});
