import { Errors, globals, journal, r, run, type IResource } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf, thrownBy } from "../../support/failures";
import { tracingMiddleware } from "../../support/tracingMiddleware";

describe("interceptors", () => {
  it("interceptors run even when a middleware answers by itself", async () => {
    const log: string[] = [];
    const cached = r.middleware
      .task("cached")
      .run(async () => "hit")
      .build();
    const task = r
      .task("task")
      .middleware([cached])
      .run(async () => "miss")
      .build();
    const interceptor = r
      .resource("interceptor")
      .dependencies({ manager: globals.resources.middlewareManager })
      .init(async (_config, { manager }) =>
        manager.intercept("task", (next, input) => {
          log.push(input.task.definition.id);
          return next(input);
        }),
      )
      .build();
    await using app = await run(appOf(cached, task, interceptor));

    expect(await app.runTask(task)).toBe("hit");
    expect(log).toEqual(["task"]);
  });

  it("interceptors keep the journal, whichever next they call", async () => {
    const key = journal.createKey<string>("key");
    const mw = r.middleware
      .task("mw")
      .run(async ({ next }) => next())
      .build();
    const task = r
      .task("task")
      .middleware([mw])
      .run(async (_: void, _dependencies, { journal }) => journal.get(key))
      .build();
    const interceptor = r
      .resource("interceptor")
      .dependencies({ manager: globals.resources.middlewareManager })
      .init(async (_config, { manager }) => {
        manager.intercept("task", (_next, input) => {
          input.journal.set(key, "kept");
          return input.next();
        });
        manager.interceptMiddleware(mw, (next, input) => next(input));
      })
      .build();
    await using app = await run(appOf(mw, task, interceptor));

    expect(await app.runTask(task)).toBe("kept");
  });

  it("interceptors of a single middleware may skip it with the input's own next", async () => {
    const log: string[] = [];
    const mw = tracingMiddleware("mw", log);
    const task = r
      .task("task")
      .middleware([mw])
      .run(async () => "ran")
      .build();
    const skipping = r
      .resource("skipping")
      .dependencies({ manager: globals.resources.middlewareManager })
      .init(async (_config, { manager }) => manager.interceptMiddleware(mw, (_next, input) => input.next()))
      .build();
    await using app = await run(appOf(mw, task, skipping));

    expect(await app.runTask(task)).toBe("ran");
    expect(log).toEqual([]);
  });

  it("interceptors are for middleware only", async () => {
    await using app = await run(appOf(), { dryRun: true });
    const manager = app.getResourceValue(globals.resources.middlewareManager);
    const resource: IResource = r.resource("resource").build();

    expect(thrownBy(() => manager.interceptMiddleware(resource as never, async () => 1))).toEqual(
      new Error("Unknown middleware type"),
    );
  });
});

describe("a task that fails", () => {
  it("a task that fails is reported once per level, inner first, and rejects with the error itself", async () => {
    const reports: unknown[] = [];
    const failure = new Error("boom");
    const inner = r
      .task("inner")
      .run(() => Promise.reject(failure))
      .build();
    const outer = r
      .task("outer")
      .dependencies({ inner })
      .run(async (_: void, { inner }) => inner())
      .build();
    await using app = await run(appOf(inner, outer), {
      onUnhandledError: (info) => {
        reports.push(info);
        throw new Error("ignored");
      },
    });

    expect(await rejectionOf(app.runTask(outer))).toBe(failure);
    expect(reports).toEqual([
      { error: failure, kind: "task", source: "inner" },
      { error: failure, kind: "task", source: "outer" },
    ]);
  });

  it("a task that fails is not reported when middleware recovers", async () => {
    const onUnhandledError = jest.fn();
    const recovering = r.middleware
      .task("recovering")
      .run(async ({ next }) => next().catch(() => "recovered"))
      .build();
    const task = r
      .task("task")
      .middleware([recovering])
      .run(() => Promise.reject(new Error("boom")))
      .build();
    await using app = await run(appOf(recovering, task), { onUnhandledError });

    expect(await app.runTask(task)).toBe("recovered");
    expect(onUnhandledError).not.toHaveBeenCalled();
  });

  it("a task that fails by throwing at once rejects all the same", async () => {
    const throwing = r
      .task("throwing")
      .run(() => {
        throw new Error("at once");
      })
      .build();
    const sync = r
      .task("sync")
      .run((() => 5) as unknown as () => Promise<number>)
      .build();
    await using app = await run(appOf(throwing, sync));

    expect((await rejectionOf(app.runTask(throwing))).message).toBe("at once");
    expect(await app.runTask(sync)).toBe(5);
  });
});

describe("the task runner and the linked form of a task", () => {
  it("the task runner and the linked form of a task run registered tasks inside all their layers, and refuse others", async () => {
    const log: string[] = [];
    const mw = tracingMiddleware("mw", log);
    const task = r
      .task("task")
      .middleware([mw])
      .run(async (n: number) => n + 1)
      .build();
    const other = r
      .task("other")
      .run(async () => 1)
      .build();
    await using app = await run(appOf(mw, task));
    const manager = app.getResourceValue(globals.resources.middlewareManager);
    const runner = app.getResourceValue(globals.resources.taskRunner);

    expect(await manager.composeTaskRunner(task)(1)).toBe(2);
    expect(await runner.run(task, 2)).toBe(3);
    expect(log).toEqual(["mw", "mw"]);
    const errors = [thrownBy(() => manager.composeTaskRunner(other)), await rejectionOf(runner.run(other))];
    expect(errors.every((error) => Errors.taskNotRegisteredError.is(error))).toBe(true);
  });
});
