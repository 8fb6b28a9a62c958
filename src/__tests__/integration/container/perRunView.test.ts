import { globals, r, run, type RunResult } from "../../../index";

const database = r
  .resource("database")
  .init(async () => 1)
  .build();
const changed = r.event("changed").build();
const audit = r.tag("audit").build();
const log = r
  .task("log")
  .run(async () => 1)
  .build();
const taskMiddleware = r.middleware
  .task<{ ttl: number }>("taskMiddleware")
  .dependencies((config) => (config?.ttl > 0 ? { database } : {}))
  .run(async ({ next }) => next())
  .build();
const resourceMiddleware = r.middleware
  .resource("resourceMiddleware")
  .dependencies(() => ({ log }))
  .run(async ({ next }) => next())
  .build();
const task = r
  .task("task")
  .dependencies(() => ({ database, changed }))
  .middleware([taskMiddleware.with({ ttl: 1 })])
  .tags([audit])
  .run(async () => 1)
  .build();
const hook = r
  .hook("hook")
  .on(changed)
  .dependencies(() => ({ log }))
  .run(async () => {})
  .build();

const feature = r
  .resource<{ withTask: boolean }>("feature")
  .dependencies(({ withTask }) => (withTask ? { database } : {}))
  .register(({ withTask }) => (withTask ? [task, hook] : [hook]))
  .middleware([resourceMiddleware])
  .init(async () => "value")
  .build();

const root = (withTask: boolean) =>
  r
    .resource("app")
    .register(() => [database, changed, audit, log, taskMiddleware, resourceMiddleware, feature.with({ withTask })])
    .build();

/** Reads a store as tools do: no field may be a function. */
function introspect({ store }: Pick<RunResult, "store">) {
  const idsOf = (items: unknown): string[] =>
    Object.values(items as Record<string, { id: string }>)
      .map(({ id }) => id)
      .sort();
  const entries = <T>(map: ReadonlyMap<string, T>, read: (element: T) => unknown) =>
    Object.fromEntries([...map].filter(([id]) => !id.startsWith("globals.")).map(([id, each]) => [id, read(each)]));
  return {
    resources: entries(store.resources, ({ resource: each }) => ({
      dependencies: idsOf(each.dependencies ?? {}),
      register: idsOf(each.register),
      middleware: idsOf(each.middleware),
      tags: idsOf(each.tags),
      overrides: idsOf(each.overrides),
    })),
    tasks: entries(store.tasks, ({ task: each }) => ({
      dependencies: idsOf(each.dependencies),
      middleware: idsOf(each.middleware),
      tags: idsOf(each.tags),
    })),
    hooks: entries(store.hooks, ({ hook: each }) => idsOf(each.dependencies)),
    taskMiddlewares: entries(store.taskMiddlewares, ({ middleware: each }) => idsOf(each.dependencies)),
    resourceMiddlewares: entries(store.resourceMiddlewares, ({ middleware: each }) => idsOf(each.dependencies)),
  };
}

describe("the store of a run", () => {
  it("the store of a run shows what dependencies and registrations written as functions gave", async () => {
    await using app = await run(root(true));

    expect(introspect(app)).toEqual({
      resources: {
        database: { dependencies: [], register: [], middleware: [], tags: [], overrides: [] },
        feature: {
          dependencies: ["database"],
          register: ["hook", "task"],
          middleware: ["resourceMiddleware"],
          tags: [],
          overrides: [],
        },
        app: {
          dependencies: [],
          register: ["audit", "changed", "database", "feature", "log", "resourceMiddleware", "taskMiddleware"],
          middleware: [],
          tags: [],
          overrides: [],
        },
      },
      tasks: {
        log: { dependencies: [], middleware: [], tags: [] },
        task: { dependencies: ["changed", "database"], middleware: ["taskMiddleware"], tags: ["audit"] },
      },
      hooks: { hook: ["log"] },
      taskMiddlewares: { taskMiddleware: [] },
      resourceMiddlewares: { resourceMiddleware: ["log"] },
    });
  });

  it("the store of a run shows each run its own, also of one definition in several runs, and in a dry run", async () => {
    await using first = await run(root(true));
    await using second = await run(root(false));
    await using dry = await run(root(false), { dryRun: true });
    const registered = ({ store }: RunResult) => introspect({ store }).resources.feature;

    expect(registered(first)).toMatchObject({ dependencies: ["database"], register: ["hook", "task"] });
    expect(registered(second)).toMatchObject({ dependencies: [], register: ["hook"] });
    expect(introspect(dry)).toEqual(introspect(second));
    expect(typeof feature.register).toBe("function");
    expect(typeof task.dependencies).toBe("function");
  });

  it("the store of a run shows what overrides brought, and the definition itself where nothing is a function", async () => {
    const replaced = r
      .override(feature)
      .dependencies(() => ({ log }), { override: true })
      .init(async () => "replaced")
      .build();
    const outer = r
      .resource("outer")
      .register([root(true)])
      .overrides([replaced])
      .build();
    await using app = await run(outer);

    expect(introspect(app).resources).toMatchObject({
      feature: { dependencies: ["log"], register: ["hook", "task"] },
      outer: { overrides: ["feature"] },
    });
    expect(app.store.resources.get("database")?.resource).toBe(database);
    expect(app.store.tasks.get("log")?.task).toBe(log);
  });

  it("the store of a run keeps brands, methods and routing on what it shows", async () => {
    const phantom = r.task
      .phantom("remote")
      .dependencies(() => ({ database }))
      .build();
    const tunnel = r
      .resource("tunnel")
      .tags([globals.tags.tunnel])
      .init(async () => ({ mode: "client" as const, tasks: [phantom], run: async () => "routed" }))
      .build();
    await using app = await run(r.resource("app").register([database, phantom, tunnel]).build());
    const shown = app.store.tasks.get("remote")?.task;

    expect(shown).toMatchObject({ id: "remote", isTunneled: true, dependencies: { database } });
    expect(shown?.optional().inner).toBe(shown);
    expect(await app.runTask("remote")).toBe("routed");
  });
});
