import { Errors, globals, r, run, type RunResult } from "../../../index";
import { appOf } from "../../support/appOf";
import { createDeferred } from "../../support/deferred";
import { rejectionOf, thrownBy } from "../../support/failures";

const double = r
  .task("double")
  .run(async (n: number) => n * 2)
  .build();
const changed = r.event<number>("changed").build();

const isRefused = (error: unknown, kind: string, id: string): boolean =>
  Errors.runDisposedError.is(error) && error.data.kind === kind && error.data.id === id;

describe("a run that was disposed of", () => {
  it("a run that was disposed of refuses tasks, emissions and values, and says why", async () => {
    const value = r
      .resource("value")
      .init(async () => 1)
      .build();
    const app = await run(appOf(double, changed, value));
    await app.dispose();

    const failures = [
      await rejectionOf(app.runTask(double, 1)),
      await rejectionOf(app.runTask("double", 1)),
      await rejectionOf(app.emitEvent(changed, 1)),
      thrownBy(() => app.getResourceValue(value)),
      thrownBy(() => app.getResourceValue(globals.resources.httpClientFactory)),
    ];

    expect(failures.map(({ message }) => message.split("\n")[0])).toEqual([
      'Task "double" was called after its run was disposed of.',
      'Task "double" was called after its run was disposed of.',
      'Event "changed" was emitted after its run was disposed of.',
      'Resource "value" was read after its run was disposed of.',
      'Resource "globals.resources.httpClientFactory" was read after its run was disposed of.',
    ]);
    expect(failures.every((error) => Errors.runDisposedError.is(error))).toBe(true);
  });

  it("a run that was disposed of refuses them while resources are being disposed of as well", async () => {
    const gate = createDeferred();
    const slow = r
      .resource("slow")
      .dispose(() => gate.promise)
      .build();
    const app = await run(appOf(double, slow));

    const disposed = app.dispose();
    const failure = rejectionOf(app.runTask(double, 1));
    gate.resolve();
    await disposed;

    expect(isRefused(await failure, "task", "double")).toBe(true);
  });

  it("a run that was disposed of refuses what its resources, tasks, hooks and middleware were given", async () => {
    interface Given {
      double(n: number): Promise<number>;
      changed(n: number): Promise<void>;
    }
    const captured = new Map<string, Given>();
    const capture = (owner: string, given: Given): void => void captured.set(owner, given);
    const given = { double, changed };
    const resource = r
      .resource("resource")
      .dependencies(given)
      .init(async (_config, dependencies) => capture("resource", dependencies))
      .build();
    const middleware = r.middleware
      .task("middleware")
      .dependencies(given)
      .run(async ({ next }, dependencies) => {
        capture("middleware", dependencies);
        return next();
      })
      .build();
    const resourceMiddleware = r.middleware
      .resource("resourceMiddleware")
      .dependencies(given)
      .run(async ({ next }, dependencies) => {
        capture("resourceMiddleware", dependencies);
        return next();
      })
      .build();
    const wrapped = r.resource("wrapped").middleware([resourceMiddleware]).build();
    const task = r
      .task("task")
      .middleware([middleware])
      .dependencies(given)
      .run(async (_input: void, dependencies) => capture("task", dependencies))
      .build();
    const happened = r.event("happened").build();
    const hook = r
      .hook("hook")
      .on(happened)
      .dependencies(given)
      .run(async (_emission, dependencies) => capture("hook", dependencies))
      .build();
    const app = await run(
      appOf(double, changed, resource, middleware, resourceMiddleware, wrapped, task, happened, hook),
    );
    const taskRunner = app.getResourceValue(globals.resources.taskRunner);
    const eventManager = app.getResourceValue(globals.resources.eventManager);
    const composed = app.getResourceValue(globals.resources.middlewareManager).composeTaskRunner(double);
    await app.runTask(task);
    await app.emitEvent(happened);
    await app.dispose();

    expect([...captured.keys()].sort()).toEqual(["hook", "middleware", "resource", "resourceMiddleware", "task"]);
    for (const callers of captured.values()) {
      expect(isRefused(await rejectionOf(callers.double(1)), "task", "double")).toBe(true);
      expect(isRefused(await rejectionOf(callers.changed(1)), "event", "changed")).toBe(true);
    }
    expect(isRefused(await rejectionOf(taskRunner.run(double, 1)), "task", "double")).toBe(true);
    expect(isRefused(await rejectionOf(composed(1)), "task", "double")).toBe(true);
    expect(isRefused(await rejectionOf(eventManager.emit(changed, 1, "test")), "event", "changed")).toBe(true);
  });

  it("a run that was disposed of lets a call that is under way end, with what it calls and emits in turn", async () => {
    const [started, gate] = [createDeferred(), createDeferred()];
    const slow = r
      .task("slow")
      .dependencies({ double, changed, runner: globals.resources.taskRunner })
      .run(async (_input: void, { double: inner, changed: emit, runner }) => {
        started.resolve();
        await gate.promise;
        await emit(1);
        return (await inner(1)) + (await runner.run(double, 10));
      })
      .build();
    let captured: ((n: number) => Promise<number>) | undefined;
    const resource = r
      .resource("resource")
      .dependencies({ double })
      .init(async (_config, given) => void (captured = given.double))
      .build();
    const app = await run(appOf(double, changed, slow, resource));
    const call = app.runTask(slow);
    await started.promise;

    await app.dispose();
    expect(isRefused(await rejectionOf(captured?.(1) ?? Promise.resolve()), "task", "double")).toBe(true);
    gate.resolve();

    expect(await call).toBe(22);
  });

  it("a run that was disposed of refuses a task that was called for the first time after that, once nothing is under way", async () => {
    const [started, gate] = [createDeferred(), createDeferred()];
    let captured: ((n: number) => Promise<number>) | undefined;
    const slow = r
      .task("slow")
      .dependencies({ double })
      .run(async (_input: void, given) => {
        captured = given.double;
        started.resolve();
        await gate.promise;
        return given.double(1);
      })
      .build();
    const app = await run(appOf(double, slow));
    const call = app.runTask(slow);
    await started.promise;
    await app.dispose();
    gate.resolve();
    expect(await call).toBe(2);

    expect(isRefused(await rejectionOf(captured?.(1) ?? Promise.resolve()), "task", "double")).toBe(true);
  });

  it("a run that was disposed of lets an emission that is under way end, with what its hooks call in turn", async () => {
    for (const parallel of [false, true]) {
      const [started, gate] = [createDeferred(), createDeferred()];
      const results: number[] = [];
      const event = r.event("event").parallel(parallel).build();
      const hook = (id: string) =>
        r
          .hook(id)
          .on(event)
          .dependencies({ double })
          .run(async (_emission, given) => {
            started.resolve();
            await gate.promise;
            results.push(await given.double(1));
          })
          .build();
      const app = await run(appOf(double, event, hook("one"), hook("two")));
      const emission = app.emitEvent(event);
      await started.promise;

      await app.dispose();
      gate.resolve();
      await emission;

      expect(results).toEqual([2, 2]);
    }
  });

  it("a run that was disposed of lets a resource call and emit while it is disposed of, as long as what these need is there", async () => {
    const log: unknown[] = [];
    const store = r
      .resource("store")
      .init(async () => ({ open: true }))
      .dispose(async (value) => void (value.open = false))
      .build();
    const flush = r
      .task("flush")
      .dependencies({ store })
      .run(async (_input: void, given) => given.store.open)
      .build();
    const listener = r
      .hook("listener")
      .on(changed)
      .run(async ({ data }) => void log.push(data))
      .build();
    const buffer = r
      .resource("buffer")
      .dependencies({ flush, changed })
      .init(async () => {})
      .dispose(async (_value, _config, given) => {
        log.push(await given.flush());
        await given.changed(1);
      })
      .build();
    const app = await run(appOf(store, flush, changed, listener, buffer));

    await app.dispose();

    expect(log).toEqual([true, 1]);
  });
});

describe("a resource whose dispose calls dispose() of its own run", () => {
  const rootOf = (end: () => Promise<void>, log: string[]) => {
    const traced = (id: string, dispose: () => Promise<void>) =>
      r
        .resource(id)
        .init(async () => {})
        .dispose(async () => {
          log.push(id);
          await dispose();
        })
        .build();
    return appOf(
      traced("first", async () => {}),
      traced("calling", end),
    );
  };

  it("a resource whose dispose calls dispose() of its own run disposes of each resource once, and all callers get one promise from the first moment", async () => {
    const log: string[] = [];
    const promises: Promise<void>[] = [];
    const app: RunResult = await run(rootOf(async () => void promises.push(app.dispose()), log));

    promises.push(app.dispose(), app.dispose(), app[Symbol.asyncDispose]());
    await promises[0];

    expect(new Set(promises).size).toBe(1);
    expect(promises).toHaveLength(4);
    expect(log).toEqual(["calling", "first"]);
  });

  it("a resource whose dispose calls dispose() of its own run does not wait for itself when it awaits that, and says so", async () => {
    jest.useFakeTimers({ doNotFake: ["queueMicrotask", "nextTick"] });
    const log: string[] = [];
    const app: RunResult = await run(rootOf(() => app.dispose(), log));
    app.logger.onLog(({ level, message }) => void (level === "warn" && log.push(String(message))));

    const disposed = app.dispose();
    await jest.advanceTimersByTimeAsync(1_000);
    await disposed;
    jest.useRealTimers();

    expect(log).toEqual([
      "calling",
      'Resource "calling" calls dispose() of its own run while it is disposed of, and may wait for it: it is not waited for.',
      "first",
    ]);
  });
});
