import { definitions, globals, r, run, type ITask } from "../../../index";

/**
 * A tool that draws an application from its store, as the published `@bluelibs/runner-dev` does: it reads members of
 * definitions as lists and maps, by name and therefore as `any`, and expects no functions in their place.
 */
function introspect(store: any) {
  const idsOf = (list: any): string[] => list.map((each: any) => (each.resource ?? each).id);
  const depends = (map: any): Record<string, string> =>
    Object.fromEntries(Object.entries<any>(map ?? {}).map(([key, value]) => [key, (value.inner ?? value).id]));
  const attached = (list: any): unknown[] =>
    list.map(({ id, config }: any) => (config === undefined ? id : { id, config }));
  const byId = (map: Map<string, any>, read: (element: any) => unknown): Record<string, any> =>
    Object.fromEntries([...map].filter(([id]) => id.startsWith("app")).map(([id, element]) => [id, read(element)]));
  const common = ({ dependencies, tags, meta }: any) => ({
    depends: depends(dependencies),
    tags: attached(tags),
    title: meta?.title,
  });

  return {
    root: store.root.resource.id,
    tasks: byId(store.tasks, ({ task }) => ({ ...common(task), middleware: attached(task.middleware) })),
    hooks: byId(store.hooks, ({ hook }) => ({ ...common(hook), on: hook.on === "*" ? "*" : idsOf([hook.on].flat()) })),
    resources: byId(store.resources, ({ resource, config }) => ({
      ...common(resource),
      config,
      registers: idsOf(resource.register),
      overrides: idsOf(resource.overrides),
      middleware: attached(resource.middleware),
    })),
    taskMiddlewares: byId(store.taskMiddlewares, ({ middleware }) => ({
      ...common(middleware),
      everywhere: Boolean(middleware.everywhere),
    })),
    resourceMiddlewares: byId(store.resourceMiddlewares, ({ middleware }) => common(middleware)),
    events: byId(store.events, ({ event }) => attached(event.tags)),
    tags: [...store.tags.keys()].filter((id: string) => id.startsWith("app")),
    errors: [...store.errors.keys()],
    asyncContexts: [...store.asyncContexts.keys()],
    overrides: [...store.overrides.keys()],
    overrideRequests: [...store.overrideRequests].map(({ source, override }: any) => [source, override.id]),
  };
}

const route = r.tag<{ path: string }>("app.tags.route").build();
const saved = r
  .event<{ id: string }>("app.events.saved")
  .tags([route.with({ path: "/saved" })])
  .build();
const refused = r.error<{ why: string }>("app.errors.refused").build();
const user = r.asyncContext<string>("app.contexts.user").build();
const db = r
  .resource<{ url: string }>("app.db")
  .dependencies((config) => (config.url === "" ? {} : { refused }))
  .init(async ({ url }) => url)
  .build();
const timing = r.middleware
  .task<{ ms: number }>("app.middleware.timing")
  .dependencies(() => ({ db }))
  .run(async ({ task, next }) => next(task.input))
  .build();
const guard = r.middleware
  .resource("app.middleware.guard")
  .dependencies(() => ({ db: db.optional() }))
  .run(async ({ resource, next }) => next(resource.config as void))
  .build();
const save = r
  .task("app.tasks.save")
  .dependencies(() => ({ db, saved, user }))
  .middleware([timing.with({ ms: 5 })])
  .tags([route.with({ path: "/save" })])
  .meta({ title: "Saves" })
  .run(async () => 1)
  .build();
const archive = r
  .task("app.tasks.archive")
  .run(async () => 1)
  .build();
const onSaved = r
  .hook("app.hooks.onSaved")
  .on([saved])
  .dependencies(() => ({ save }))
  .run(async () => {})
  .build();
const feature = r
  .resource<{ archive: boolean }>("app.feature")
  .register((config) => [save, ...(config.archive ? [archive] : [])])
  .middleware([guard])
  .build();

function appWith(config: { archive: boolean }) {
  const fakeArchive = r
    .override(archive)
    .dependencies(() => ({ db }))
    .run(async () => 2)
    .build();
  return r
    .resource("app")
    .register(() => [route, saved, refused, user, db.with({ url: "pg" }), timing, guard, onSaved, feature.with(config)])
    .dependencies(() => ({ db }))
    .overrides(config.archive ? [fakeArchive] : [])
    .build();
}

const quiet = { logs: { printThreshold: null }, shutdownHooks: false, errorBoundary: false } as const;

describe("introspection", () => {
  it("a tool that reads the store finds lists and maps in every kind of definition, where functions were written", async () => {
    const { store, dispose } = await run(appWith({ archive: true }), quiet);

    const seen = introspect(store);
    await dispose();

    expect(seen).toEqual({
      root: "app",
      tasks: {
        "app.tasks.save": {
          depends: { db: "app.db", saved: "app.events.saved", user: "app.contexts.user" },
          tags: [{ id: "app.tags.route", config: { path: "/save" } }],
          middleware: [{ id: "app.middleware.timing", config: { ms: 5 } }],
          title: "Saves",
        },
        "app.tasks.archive": { depends: { db: "app.db" }, tags: [], middleware: [], title: undefined },
      },
      hooks: {
        "app.hooks.onSaved": {
          depends: { save: "app.tasks.save" },
          tags: [],
          on: ["app.events.saved"],
          title: undefined,
        },
      },
      resources: {
        "app.db": {
          depends: { refused: "app.errors.refused" },
          config: { url: "pg" },
          ...{ registers: [], overrides: [], middleware: [], tags: [], title: undefined },
        },
        "app.feature": {
          depends: {},
          config: { archive: true },
          registers: ["app.tasks.save", "app.tasks.archive"],
          middleware: [{ id: "app.middleware.guard", config: {} }],
          ...{ overrides: [], tags: [], title: undefined },
        },
        app: {
          depends: { db: "app.db" },
          config: {},
          registers: [
            "app.tags.route",
            "app.events.saved",
            "app.errors.refused",
            "app.contexts.user",
            "app.db",
            "app.middleware.timing",
            "app.middleware.guard",
            "app.hooks.onSaved",
            "app.feature",
          ],
          overrides: ["app.tasks.archive"],
          ...{ middleware: [], tags: [], title: undefined },
        },
      },
      taskMiddlewares: {
        "app.middleware.timing": { depends: { db: "app.db" }, tags: [], everywhere: false, title: undefined },
      },
      resourceMiddlewares: { "app.middleware.guard": { depends: { db: "app.db" }, tags: [], title: undefined } },
      events: { "app.events.saved": [{ id: "app.tags.route", config: { path: "/saved" } }] },
      tags: ["app.tags.route"],
      errors: ["app.errors.refused"],
      asyncContexts: ["app.contexts.user"],
      overrides: ["app.tasks.archive"],
      overrideRequests: [["app", "app.tasks.archive"]],
    });
  });

  it("a tool that reads the store finds in a dry run what it finds in a running application", async () => {
    const [running, dry] = [
      await run(appWith({ archive: true }), quiet),
      await run(appWith({ archive: true }), { ...quiet, dryRun: true }),
    ];

    expect(introspect(dry.store)).toEqual(introspect(running.store));

    await running.dispose();
  });

  it("a tool that reads the store finds what the config of each run registers, and the shared definitions as they were", async () => {
    const [withArchive, without] = [
      await run(appWith({ archive: true }), quiet),
      await run(appWith({ archive: false }), quiet),
    ];

    expect(introspect(withArchive.store).resources["app.feature"].registers).toEqual([
      "app.tasks.save",
      "app.tasks.archive",
    ]);
    expect(introspect(without.store).resources["app.feature"].registers).toEqual(["app.tasks.save"]);
    expect(typeof feature.register).toBe("function");
    expect(typeof save.dependencies).toBe("function");

    await withArchive.dispose();
    await without.dispose();
  });

  it("a tool that reads the store finds definitions through the lookups by tag, evaluated too, and the file each was made in", async () => {
    const { store, dispose } = await run(appWith({ archive: false }), quiet);

    const [tagged] = store.getTasksWithTag(route) as [ITask];
    await dispose();

    expect(Object.keys(tagged.dependencies as object)).toEqual(["db", "saved", "user"]);
    expect((tagged as unknown as Record<symbol, unknown>)[definitions.symbolFilePath]).toBe(__filename);
  });

  it("a tool that reads the store finds built-ins among the rest, marked as such", async () => {
    const { store, dispose } = await run(appWith({ archive: false }), quiet);

    const system = [...store.resources.values()]
      .map(({ resource }) => resource)
      .filter((resource) => resource.tags.some(({ id }) => id === globals.tags.system.id));
    await dispose();

    expect(system.map(({ id }) => id)).toContain("globals.resources.store");
    expect(system.every(({ id }) => id.startsWith("globals."))).toBe(true);
  });
});
