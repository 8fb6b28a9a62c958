import { globals, r, run, type ITask } from "../../../index";
import { appOf } from "../../support/appOf";
import { tracingMiddleware } from "../../support/tracingMiddleware";

describe("the layers of one execution", () => {
  it("the layers of one execution run from the outside in: G1, G2, everywhere, M2, M1, mw, L1, L2, run", async () => {
    const log: string[] = [];
    const everywhere = r.middleware
      .task("everywhere")
      .everywhere(true)
      .run(async ({ next }) => {
        log.push("everywhere");
        return next();
      })
      .build();
    const mw = tracingMiddleware("mw", log);
    const task = r
      .task("task")
      .middleware([mw])
      .run(async () => void log.push("run"))
      .build();
    const interceptors = r
      .resource("interceptors")
      .dependencies({ task, manager: globals.resources.middlewareManager })
      .init(async (_config, { task, manager }) => {
        for (const name of ["G1", "G2"]) {
          manager.intercept("task", (next, input) => {
            log.push(name);
            return next(input);
          });
        }
        for (const name of ["M1", "M2"]) {
          manager.interceptMiddleware(mw, (next, input) => {
            log.push(name);
            return next(input);
          });
        }
        for (const name of ["L1", "L2"]) {
          task.intercept((next, input) => {
            log.push(name);
            return next(input);
          });
        }
      })
      .build();
    await using app = await run(appOf(everywhere, mw, task, interceptors));

    await app.runTask(task);

    expect(log).toEqual(["G1", "G2", "everywhere", "M2", "M1", "mw", "L1", "L2", "run"]);
  });

  it("the layers of one execution are those of the latest interceptors, also for a task that ran during boot", async () => {
    const task = r
      .task("task")
      .run(async () => ["run"])
      .build();
    const early = r
      .resource("early")
      .dependencies({ task })
      .init(async (_config, { task }) => task())
      .build();
    const late = r
      .resource("late")
      .dependencies({ early, task })
      .init(async (_config, { task }) => task.intercept(async (next, input) => ["late", ...(await next(input))]))
      .build();
    await using app = await run(appOf(task, early, late));

    expect(app.getResourceValue(early)).toEqual(["run"]);
    expect(await app.runTask(task)).toEqual(["late", "run"]);
  });

  it("the layers of one execution run for the caller of an injected task as well", async () => {
    const log: string[] = [];
    const mw = tracingMiddleware("mw", log);
    const inner = r
      .task("inner")
      .middleware([mw])
      .run(async () => 1)
      .build();
    const outer = r
      .task("outer")
      .dependencies({ inner })
      .run(async (_: void, { inner }) => inner())
      .build();
    await using app = await run(appOf(mw, inner, outer));

    await app.runTask(outer);

    expect(log).toEqual(["mw"]);
  });
});

describe("next", () => {
  const received: unknown[] = [];
  const passing = r.middleware
    .task<{ args: readonly unknown[] }>("passing")
    .run(async ({ next }, _dependencies, { args }) => next(...(args as [])))
    .build();
  const echo = (args: readonly unknown[]) =>
    r
      .task("echo")
      .middleware([passing.with({ args })])
      .run(async (input: string | undefined) => void received.push(input))
      .build();
  beforeEach(() => void received.splice(0));

  it.each([
    ["without argument keeps the input", [], "given"],
    ["with undefined passes undefined", [undefined], undefined],
    ["with a value passes the value", ["other"], "other"],
  ])("next of a middleware takes the input it is given: %s", async (_claim, args, expected) => {
    const task = echo(args);
    await using app = await run(appOf(passing, task));

    await app.runTask(task, "given");

    expect(received).toEqual([expected]);
  });

  it.each([
    ["without argument keeps the input", [], "given"],
    ["with undefined passes undefined", [undefined], undefined],
  ])("next of a global interceptor's input takes the input it is given: %s", async (_claim, args, expected) => {
    const task = echo([]);
    const interceptor = r
      .resource("interceptor")
      .dependencies({ manager: globals.resources.middlewareManager })
      .init(async (_config, { manager }) => manager.intercept("task", (_next, input) => input.next(...(args as []))))
      .build();
    await using app = await run(appOf(passing, task, interceptor));

    await app.runTask(task, "given");

    expect(received).toEqual([expected]);
  });

  it("next of an interceptor takes the input of what it is given", async () => {
    const task = echo([]);
    const interceptor = r
      .resource("interceptor")
      .dependencies({ manager: globals.resources.middlewareManager })
      .init(async (_config, { manager }) =>
        manager.intercept("task", (next, input) => next({ ...input, task: { ...input.task, input: "replaced" } })),
      )
      .build();
    await using app = await run(appOf(passing, task, interceptor));

    await app.runTask(task, "given");

    expect(received).toEqual(["replaced"]);
  });
});

describe("middleware", () => {
  it("middleware sees the raw input and the validated result, and answers with anything", async () => {
    const seen: unknown[] = [];
    const observer = r.middleware
      .task("observer")
      .run(async ({ task, next }) => {
        seen.push(task.input, await next());
        return "not validated";
      })
      .build();
    const task = r
      .task("task")
      .middleware([observer])
      .inputSchema({ parse: (value: string) => Number(value) })
      .resultSchema({ parse: (value: number) => value + 1 })
      .run(async (n) => n * 2)
      .build();
    await using app = await run(appOf(observer, task));

    expect(await app.runTask("task", "5")).toBe("not validated");
    expect(seen).toEqual(["5", 11]);
  });

  it("middleware is told the definition it wraps", async () => {
    const seen: ITask[] = [];
    const observer = r.middleware
      .task("observer")
      .run(async ({ task, next }) => {
        seen.push(task.definition);
        return next();
      })
      .build();
    const task = r
      .task("task")
      .middleware([observer])
      .run(async () => 1)
      .build();
    await using app = await run(appOf(observer, task));

    await app.runTask(task);

    expect(seen).toEqual([task]);
    expect(seen[0]).toBe(task);
  });

  it("middleware attached everywhere and locally runs once, at its place, with the local config", async () => {
    const log: string[] = [];
    const auditing = r.middleware
      .task<{ level?: string }>("auditing")
      .everywhere(true)
      .run(async ({ next }, _dependencies, { level = "default" }) => {
        log.push(level);
        return next();
      })
      .build();
    const first = tracingMiddleware("first", log);
    const plain = r
      .task("plain")
      .run(async () => 1)
      .build();
    const marked = r
      .task("marked")
      .middleware([first, auditing.with({ level: "high" })])
      .run(async () => 1)
      .build();
    await using app = await run(appOf(auditing.with({ level: "registered" }), first, plain, marked));

    await app.runTask(plain);
    await app.runTask(marked);

    expect(log).toEqual(["registered", "first", "high"]);
  });

  it("middleware attached twice runs twice, each with its config", async () => {
    const add = r.middleware
      .task<{ n: number }>("add")
      .run(async ({ next }, _dependencies, { n }) => Number(await next()) + n)
      .build();
    const task = r
      .task("task")
      .middleware([add.with({ n: 1 }), add.with({ n: 10 })])
      .run(async () => 100)
      .build();
    await using app = await run(appOf(add, task));

    expect(await app.runTask(task)).toBe(111);
  });

  it("the predicates of middleware everywhere are asked once per definition of a boot", async () => {
    const asked: string[] = [];
    const ask = ({ id }: { id: string }): boolean => {
      asked.push(id);
      return true;
    };
    const aroundTasks = r.middleware
      .task("aroundTasks")
      .everywhere(ask)
      .run(async ({ next }) => next())
      .build();
    const aroundResources = r.middleware
      .resource("aroundResources")
      .everywhere(ask)
      .run(async ({ next }) => next())
      .build();
    const task = r
      .task("task")
      .run(async () => 1)
      .build();

    await using app = await run(appOf(aroundTasks, aroundResources, task, r.resource("resource").build()));

    expect(await app.runTask(task)).toBe(1);
    expect(asked.filter((id) => id === "task" || id === "resource").toSorted()).toEqual(["resource", "task"]);
  });

  it("middleware everywhere applies where its predicate says", async () => {
    const log: string[] = [];
    const auditing = r.middleware
      .task("auditing")
      .everywhere(({ id }) => id.startsWith("public."))
      .run(async ({ task, next }) => {
        log.push(task.definition.id);
        return next();
      })
      .build();
    const open = r
      .task("public.task")
      .run(async () => 1)
      .build();
    const hidden = r
      .task("private.task")
      .run(async () => 1)
      .build();
    await using app = await run(appOf(auditing, open, hidden));

    await Promise.all([app.runTask(open), app.runTask(hidden)]);

    expect(log).toEqual(["public.task"]);
  });

  it("middleware keeps the object it was first configured with, and merges later ones into a new one", () => {
    const limit = r.middleware
      .task<{ max?: number; per?: string }>("limit")
      .run(async ({ next }) => next())
      .build();
    const first = { max: 1 };

    expect(limit.config).toEqual({});
    expect(limit.with(first).config).toBe(first);
    expect(limit.with(first).with({ per: "s" }).config).toEqual({ max: 1, per: "s" });
    expect(first).toEqual({ max: 1 });
  });

  it.each([[[1, 2]], ["text"], [null], [7]])("middleware is configured with %j as it is", (config) => {
    const any = r.middleware
      .task<unknown>("any")
      .run(async ({ next }) => next())
      .build();

    expect(any.with({ a: 1 }).with(config).config).toBe(config);
  });

  it("middleware may be a mixture of dependencies with the kinds tasks can have, without intercept", async () => {
    const value = r
      .resource("value")
      .init(async () => 1)
      .build();
    const helper = r
      .task("helper")
      .run(async () => 2)
      .build();
    const seen: unknown[] = [];
    const mw = r.middleware
      .task("mw")
      .dependencies({ value })
      .dependencies(() => ({ helper }))
      .run(async ({ next }, { value, helper }) => {
        seen.push(value, await helper(), "intercept" in helper);
        return next();
      })
      .build();
    const task = r
      .task("task")
      .middleware([mw])
      .run(async () => 1)
      .build();
    await using app = await run(appOf(value, helper, mw, task));

    await app.runTask(task);

    expect(seen).toEqual([1, 2, false]);
  });
});
