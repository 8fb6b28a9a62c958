import { Errors, globals, r, run } from "../../../index";
import { appOf } from "../../support/appOf";
import { thrownBy } from "../../support/failures";

const ping = r.event<string>("ping").build();
const double = r
  .task("double")
  .run(async (n: number) => n * 2)
  .build();
const middleware = r.middleware
  .task("middleware")
  .run(async ({ next }) => next())
  .build();
const handles = r
  .resource("handles")
  .dependencies({
    double,
    store: globals.resources.store,
    events: globals.resources.eventManager,
    manager: globals.resources.middlewareManager,
  })
  .init(async (_config, dependencies) => dependencies)
  .build();

describe("once an application is ready", () => {
  it("once an application is ready its events take no more listeners and interceptors", async () => {
    await using app = await run(appOf(ping, double, handles));
    const { events } = app.getResourceValue(handles);
    const attempts = [
      () => events.addListener(ping, () => {}),
      () => events.addGlobalListener(() => {}),
      () => events.intercept(async () => {}),
      () => events.interceptHook(async () => {}),
    ];

    const errors = attempts.map(thrownBy);

    expect(events.isLocked).toBe(true);
    expect(errors.map(({ message }) => message)).toEqual(
      Array(4).fill("Cannot modify the EventManager when it is locked."),
    );
    expect(errors.every((error) => Errors.lockedError.is(error))).toBe(true);
  });

  it("once an application is ready its middleware takes no more interceptors", async () => {
    await using app = await run(appOf(ping, double, middleware, handles));
    const { manager } = app.getResourceValue(handles);
    const attempts = [
      () => manager.intercept("task", async () => 1),
      () => manager.intercept("resource", async () => 1),
      () => manager.interceptMiddleware(middleware, async () => 1),
    ];

    const errors = attempts.map(thrownBy);

    expect(manager.isLocked).toBe(true);
    expect(errors.map(({ message }) => message)).toEqual(
      Array(3).fill("Cannot modify the MiddlewareManager when it is locked."),
    );
  });

  it("once an application is ready its tasks take no more interceptors, and the store no changes", async () => {
    await using app = await run(appOf(ping, double, handles));
    const value = app.getResourceValue(handles);
    const locked = new Error("Cannot modify the Store when it is locked.");

    expect(() => value.double.intercept((next, input) => next(input))).toThrow(locked);
    expect(() => value.store.checkLock()).toThrow(locked);
    expect(value.store.isLocked).toBe(true);
  });

  it("once an application is ready it still emits and runs tasks", async () => {
    const heard: string[] = [];
    const hook = r
      .hook("hook")
      .on(ping)
      .run(async ({ data }) => void heard.push(data))
      .build();
    await using app = await run(appOf(ping, double, hook, handles));
    const { events, double: call } = app.getResourceValue(handles);

    await events.emit(ping, "x", "test");

    expect(heard).toEqual(["x"]);
    expect(await call(4)).toBe(8);
  });
});

describe("the ready event", () => {
  it("the ready event comes after everything initialised and is locked, from the run", async () => {
    const seen: unknown[] = [];
    const hook = r
      .hook("hook")
      .on(globals.events.ready)
      .dependencies({ store: globals.resources.store })
      .run(async ({ source, data }, { store }) => void seen.push(source, data, store.isLocked, store.root.value))
      .build();

    await using app = await run(
      r
        .resource("app")
        .register(hook)
        .init(async () => "up")
        .build(),
    );

    expect(app.value).toBe("up");
    expect(seen).toEqual(["run", undefined, true, "up"]);
  });
});

describe("the store", () => {
  const tag = r.tag<{ path: string }>("http").build();
  const tagged = r
    .task("tagged")
    .tags([tag.with({ path: "/a" })])
    .run(async () => 1)
    .build();
  const plain = r
    .task("plain")
    .run(async () => 1)
    .build();
  const taggedResource = r
    .resource("taggedResource")
    .tags([tag.with({ path: "/b" })])
    .build();

  it("the store finds tasks and resources by tag or tag id, overrides applied", async () => {
    const replaced = r
      .override(tagged)
      .run(async () => 2)
      .build();
    const root = r.resource("app").register([tag, tagged, plain, taggedResource]).overrides([replaced]).build();

    await using app = await run(root);

    expect(app.store.getTasksWithTag(tag)).toEqual([replaced]);
    expect(app.store.getTasksWithTag("http")).toEqual([replaced]);
    expect(app.store.getResourcesWithTag(tag)).toEqual([taggedResource]);
    expect(app.store.getTasksWithTag("unknown")).toEqual([]);
  });

  it("the store lists what was registered, by kind, in container order", async () => {
    const failed = r.error("failed").build();
    const context = r.asyncContext<string>("context").build();
    const hook = r
      .hook("hook")
      .on(ping)
      .run(async () => {})
      .build();

    await using app = await run(appOf(tag, tagged, plain, ping, hook, failed, context, middleware));

    const { store } = app;
    expect([...store.tasks.keys()]).toEqual(["tagged", "plain"]);
    expect([...store.hooks.keys()]).toEqual(["hook"]);
    expect(store.hooks.get("hook")?.dependencyState).toBe("ready");
    expect([...store.errors.values()]).toEqual([failed]);
    expect([...store.asyncContexts.values()]).toEqual([context]);
    expect(store.tags.get("http")).toBe(tag);
    expect(store.events.get("ping")?.event).toBe(ping);
    expect(store.taskMiddlewares.get("middleware")?.middleware).toBe(middleware);
    expect([...store.resources.keys()].at(-1)).toBe("app");
  });

  it("the store shows what a resource was injected with", async () => {
    await using app = await run(appOf(ping, double, handles));

    const element = app.store.resources.get("handles");

    expect(element?.isInitialized).toBe(true);
    expect(element?.computedDependencies).toBe(element?.value);
    expect(app.store.tasks.get("double")).toMatchObject({ task: double, isInitialized: true });
  });
});
