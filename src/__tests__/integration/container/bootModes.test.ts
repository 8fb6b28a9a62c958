import { CancellationError, Errors, globals, r, run, type RunOptions } from "../../../index";
import { appOf } from "../../support/appOf";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";

describe('initMode "parallel"', () => {
  it('initMode "parallel" starts resources that do not need each other together, and the root last', async () => {
    const log: string[] = [];
    const [gateA, gateB] = [createDeferred(), createDeferred()];
    const waiting = (id: string, gate: Promise<void>) =>
      r.resource(id).init(async () => {
        log.push(`${id} starts`);
        await gate;
        log.push(`${id} done`);
      });
    const a = waiting("a", gateA.promise).build();
    const b = waiting("b", gateB.promise).build();
    const afterB = r
      .resource("afterB")
      .dependencies({ b })
      .init(async () => void log.push("afterB"))
      .build();
    const root = r
      .resource("app")
      .register([a, b, afterB])
      .init(async () => void log.push("app"))
      .build();

    const booting = run(root, { initMode: "parallel" });
    await new Promise(setImmediate);
    expect(log).toEqual(["b starts", "a starts"]);
    gateB.resolve();
    await new Promise(setImmediate);
    expect(log.slice(2)).toEqual(["b done", "afterB"]);
    gateA.resolve();
    await (await booting).dispose();

    expect(log.slice(4)).toEqual(["a done", "app"]);
  });

  it('initMode "parallel" disposes dependents before what they need', async () => {
    const log: string[] = [];
    const traced = (id: string) => r.resource(id).dispose(async () => void log.push(id));
    const base = traced("base").build();
    const middle = traced("middle").dependencies({ base }).build();
    const top = traced("top").dependencies({ middle }).build();

    await (await run(appOf(top, middle, base), { initMode: "parallel" })).dispose();

    expect(log).toEqual(["top", "middle", "base"]);
  });

  it('initMode "parallel" waits for what is running when one fails, starts nothing new, and disposes of the rest', async () => {
    const log: string[] = [];
    const gate = createDeferred();
    const failing = r
      .resource("failing")
      .init(() => Promise.reject(new Error("boom")))
      .build();
    const slow = r
      .resource("slow")
      .init(async () => {
        await gate.promise;
        log.push("slow done");
      })
      .dispose(async () => void log.push("slow disposed"))
      .build();
    const later = r
      .resource("later")
      .dependencies({ slow })
      .init(async () => void log.push("later"))
      .build();

    const booting = rejectionOf(run(appOf(failing, slow, later), { initMode: "parallel" }));
    await new Promise(setImmediate);
    gate.resolve();

    expect((await booting).message).toBe('Resource "failing" initialization failed: boom');
    expect(log).toEqual(["slow done", "slow disposed"]);
  });
});

describe("a signal that aborts the boot", () => {
  it("a signal that aborts the boot keeps the boot from starting when it has aborted already", async () => {
    const init = jest.fn(async () => {});

    const error = await rejectionOf(
      run(appOf(r.resource("a").init(init).build()), { signal: AbortSignal.abort("late") }),
    );

    expect(error).toBeInstanceOf(CancellationError);
    expect(error).toMatchObject({ message: "late", data: { reason: "late" } });
    expect(init).not.toHaveBeenCalled();
  });

  it("a signal that aborts the boot initialises nothing more and rolls back", async () => {
    const log: string[] = [];
    const aborter = new AbortController();
    const reason = new Error("deploy replaced");
    const first = r
      .resource("first")
      .init(async () => aborter.abort(reason))
      .dispose(async () => void log.push("first disposed"))
      .build();
    const second = r
      .resource("second")
      .init(async () => void log.push("second"))
      .build();

    const error = await rejectionOf(run(appOf(first, second), { signal: aborter.signal }));

    expect(Errors.isCancellationError(error)).toBe(true);
    expect(error.cause).toBe(reason);
    expect(log).toEqual(["first disposed"]);
  });

  it("a signal that aborts the boot no longer matters once the application is up", async () => {
    const aborter = new AbortController();
    const task = r
      .task("task")
      .run(async () => 1)
      .build();
    await using app = await run(appOf(task), { signal: aborter.signal });

    aborter.abort();

    expect(await app.runTask(task)).toBe(1);
  });
});

describe("unrouted phantom tasks", () => {
  const remote = r.task.phantom<{ a: number }, number>("remote").build();

  it("unrouted phantom tasks resolve to undefined by default", async () => {
    await using app = await run(appOf(remote));

    expect(await app.runTask(remote, { a: 1 })).toBeUndefined();
  });

  it('unrouted phantom tasks fail at the call with unroutedPhantoms: "throw"', async () => {
    await using app = await run(appOf(remote), { unroutedPhantoms: "throw" });

    const error = await rejectionOf(app.runTask(remote, { a: 1 }));

    expect(Errors.phantomTaskNotRoutedError.is(error) && error.data).toEqual({ taskId: "remote" });
  });
});

it("a task called during boot before its dependencies are there says how to mend it", async () => {
  const late = r
    .resource("late")
    .init(async () => 1)
    .build();
  const needsLate = r
    .task("needsLate")
    .dependencies({ late })
    .run(async () => 1)
    .build();
  const early = r
    .resource("early")
    .dependencies({ runner: globals.resources.taskRunner })
    .init(async (_config, { runner }) => runner.run(needsLate))
    .build();
  const hook = r
    .hook("hook")
    .on("*")
    .dependencies({ early })
    .run(async () => {})
    .build();

  const error = await rejectionOf(run(appOf(late, needsLate, early, hook)));

  expect(Errors.taskNotReadyError.is(error) && error.data).toEqual({ taskId: "needsLate" });
});

describe("options that cannot be meant", () => {
  it.each<[unknown, string]>([
    [{ dryrun: true }, ".dryrun is not known. Did you mean run(app, options).dryRun?"],
    [{ verbose: true }, ".verbose is not known. Known are logs, debug, errorBoundary,"],
    [{ toString: 1 }, ".toString is not known. Known are "],
    [{ dryRun: "yes" }, '.dryRun must be true or false, got "yes".'],
    [{ unroutedPhantoms: "trow" }, '.unroutedPhantoms must be one of "undefined", "throw", got "trow".'],
    [{ initMode: "paralel" }, '.initMode must be one of "sequential", "parallel", got "paralel".'],
    [{ mode: "production" }, '.mode must be one of "dev", "test", "prod", got "production".'],
    [{ onUnhandledError: "log" }, '.onUnhandledError must be a function, got "log".'],
    [{ signal: new AbortController() }, ".signal must be an AbortSignal, got [object AbortController]."],
    [{ logs: "warn" }, '.logs must be an object, got "warn".'],
    [
      { logs: { printTreshold: "warn" } },
      ".logs.printTreshold is not known. Did you mean run(app, options).logs.printThreshold?",
    ],
    [{ logs: { printThreshold: "verbose" } }, '.logs.printThreshold must be one of "trace", "debug",'],
    [{ logs: { printStrategy: null } }, ".logs.printStrategy must be one of"],
    ["dry", ' must be an object, got "dry".'],
    [null, " must be an object, got null."],
  ])("options that cannot be meant are refused, and nothing boots: %j", async (options, told) => {
    const init = jest.fn();

    const error = await rejectionOf(run(r.resource("app").init(init).build(), options as RunOptions));

    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(`run(app, options)${told}`);
    expect(init).not.toHaveBeenCalled();
  });

  it("options that are undefined, or that 5.x documented, are accepted", async () => {
    const options = { debug: "verbose", dryRun: undefined, logs: { printThreshold: null, bufferLogs: undefined } };

    await using app = await run(r.resource("app").build(), options as RunOptions);

    expect(app.store.isLocked).toBe(true);
  });
});
