import { globals, r, run, type ITask } from "../../../index";
import { appOf } from "../../support/appOf";
import { createTrace } from "../../support/trace";

describe("an application of two levels", () => {
  it("an application of two levels initialises what is needed first and disposes in reverse", async () => {
    const { log, traced } = createTrace();
    const database = traced("database").build();
    const cache = traced("cache").dependencies({ database }).build();
    const find = r
      .task("find")
      .dependencies({ cache })
      .run(async (key: string, { cache }) => `${cache}:${key}`)
      .build();
    const feature = traced("feature").register([cache, database, find]).build();
    const app = await run(traced("app").register(feature).build());

    expect(await app.runTask(find, "k")).toBe("cache:k");
    await app.dispose();

    expect(log).toEqual(["+database", "+cache", "+feature", "+app", "-app", "-feature", "-cache", "-database"]);
  });

  it("an application of two levels initialises a resource once, however many depend on it, and the root last", async () => {
    const init = jest.fn(async () => ({}));
    const shared = r.resource("shared").init(init).build();
    const readShared = async (_config: void, dependencies: { shared: object }) => dependencies.shared;
    const a = r.resource("a").dependencies({ shared }).init(readShared).build();
    const b = r.resource("b").dependencies({ shared }).init(readShared).build();
    const order: string[] = [];
    const root = r
      .resource("app")
      .register([
        r
          .resource("unused")
          .init(async () => void order.push("unused"))
          .build(),
        a,
        b,
        shared,
      ])
      .init(async () => void order.push("app"))
      .build();

    await using app = await run(root);

    expect(init).toHaveBeenCalledTimes(1);
    expect(app.getResourceValue(a)).toBe(app.getResourceValue(b));
    expect(order).toEqual(["unused", "app"]);
  });

  it("an application of two levels initialises what hooks and middleware need before ordinary resources", async () => {
    const { log, traced } = createTrace();
    const ordinary = traced("ordinary").build();
    const forTask = traced("forTask").build();
    const forHook = traced("forHook").build();
    const forMiddleware = traced("forMiddleware").build();
    const forResourceMiddleware = traced("forResourceMiddleware").build();
    const hook = r
      .hook("hook")
      .on("*")
      .dependencies({ forHook })
      .run(async () => {})
      .build();
    const task = r
      .task("task")
      .dependencies({ forTask })
      .run(async () => {})
      .build();
    const middleware = r.middleware
      .task("middleware")
      .dependencies({ forMiddleware })
      .run(async ({ next }) => next())
      .build();
    const resourceMiddleware = r.middleware
      .resource("resourceMiddleware")
      .dependencies({ forResourceMiddleware })
      .run(async ({ next }) => next())
      .build();
    const root = r
      .resource("app")
      .register([ordinary, forTask, forHook, forMiddleware, forResourceMiddleware])
      .register([task, hook, middleware, resourceMiddleware]);

    await using app = await run(root.build());

    expect(app.store.isLocked).toBe(true);
    expect(log).toEqual(["+forResourceMiddleware", "+forMiddleware", "+forHook", "+forTask", "+ordinary"]);
  });

  it("an application of two levels hands the private context of a run to init and dispose, with value, config and dependencies", async () => {
    const seen: unknown[] = [];
    const name = r
      .resource("name")
      .init(async () => "db")
      .build();
    const pool = r
      .resource<{ size: number }>("pool")
      .dependencies({ name })
      .context(() => ({ opened: [] as string[] }))
      .init(async ({ size }, { name }, context) => {
        context.opened.push(name);
        return { size };
      })
      .dispose(async (value, config, dependencies, context) => {
        seen.push(value, config, dependencies.name, context.opened);
      })
      .build();
    const root = appOf(name, pool.with({ size: 3 }));

    await (await run(root)).dispose();
    await (await run(root)).dispose();

    const once = [{ size: 3 }, { size: 3 }, "db", ["db"]];
    expect(seen).toEqual([...once, ...once]);
  });

  it("an application of two levels disposes of resources without an init, with their context", async () => {
    const dispose = jest.fn(async () => {});
    const app = await run(
      r
        .resource("app")
        .context(() => ({ handles: 1 }))
        .dispose(dispose)
        .build(),
    );

    await app.dispose();

    expect(dispose).toHaveBeenCalledWith(undefined, {}, {}, { handles: 1 });
  });
});

describe("several runs", () => {
  const port = r
    .resource<{ port: number }>("port")
    .init(async ({ port }) => port)
    .build();
  const ask = r
    .task("ask")
    .dependencies({ port })
    .run(async (_: void, { port }) => port)
    .build();
  const root = r
    .resource<{ port: number }>("app")
    .register((config) => [port.with(config), ask])
    .build();

  it("several runs of one definition with different configs are wired independently", async () => {
    const [first, second] = await Promise.all([run(root.with({ port: 1 })), run(root.with({ port: 2 }))]);

    expect(await Promise.all([first.runTask(ask), second.runTask(ask)])).toEqual([1, 2]);
    expect([first.getResourceConfig(root), second.getResourceConfig(root)]).toEqual([{ port: 1 }, { port: 2 }]);
    await first.dispose();
    expect(await second.runTask(ask)).toBe(2);
    await second.dispose();
  });

  it("several runs at once keep their events and stores apart", async () => {
    const ping = r.event<string>("ping").build();
    const heard: string[] = [];
    const listener = r
      .resource<{ name: string }>("listener")
      .init(async ({ name }) => name)
      .build();
    const hook = r
      .hook("hook")
      .on(ping)
      .dependencies({ listener })
      .run(async ({ data }, { listener }) => void heard.push(`${listener} ${data}`))
      .build();
    const shared = r
      .resource<{ name: string }>("shared")
      .register((config) => [listener.with(config), ping, hook])
      .build();
    await using first = await run(shared.with({ name: "first" }));
    await using second = await run(shared.with({ name: "second" }));

    await first.emitEvent(ping, "a");
    await second.emitEvent(ping, "b");

    expect(heard).toEqual(["first a", "second b"]);
    expect(first.store).not.toBe(second.store);
    expect(first.getResourceValue(globals.resources.store)).toBe(first.store);
  });
});

describe("a running application", () => {
  const double = r
    .task("double")
    .run(async (n: number) => n * 2)
    .build();
  const changed = r.event<{ n: number }>("changed").build();
  const value = r
    .resource("value")
    .init(async () => 7)
    .build();
  const root = r
    .resource("app")
    .register([double, changed, value])
    .init(async () => "up" as const)
    .build();

  it("a running application may be destructured", async () => {
    const { runTask, emitEvent, getResourceValue, getResourceConfig, dispose, value: rootValue } = await run(root);

    expect(rootValue).toBe("up");
    expect(await runTask(double, 2)).toBe(4);
    expect(await runTask("double", 3)).toBe(6);
    await expect(emitEvent(changed, { n: 1 })).resolves.toBeUndefined();
    expect(getResourceValue(value)).toBe(7);
    expect(getResourceConfig("value")).toEqual({});
    await dispose();
  });

  it("a running application rejects with the id that is not registered, and names the one that was probably meant", async () => {
    await using app = await run(root);
    const other = r
      .task("other")
      .run(async () => 1)
      .build();

    await expect(app.runTask("nope")).rejects.toThrow(new Error('Task "nope" not found.'));
    await expect(app.runTask(other)).rejects.toThrow(new Error('Task "other" not found.'));
    await expect(app.emitEvent("nope")).rejects.toThrow(new Error('Event "nope" not found.'));
    expect(() => app.getResourceValue("nope")).toThrow(new Error('Resource "nope" not found.'));
    expect(() => app.getResourceConfig(r.resource("nope").build())).toThrow(new Error('Resource "nope" not found.'));
    const meant = (kind: string, id: string, fix: string) =>
      new Error(`${kind} "${id}" not found.\n  fix: did you mean "${fix}"?`);
    await expect(app.runTask("doubel")).rejects.toThrow(meant("Task", "doubel", "double"));
    await expect(app.emitEvent("change")).rejects.toThrow(meant("Event", "change", "changed"));
    expect(() => app.getResourceValue("valeu")).toThrow(meant("Resource", "valeu", "value"));
    expect(() => app.getResourceConfig("valeu")).toThrow(meant("Resource", "valeu", "value"));
  });

  it("a running application says what is wrong with what a circular import left undefined", async () => {
    await using app = await run(appOf());
    const lost = undefined as unknown as string;
    const told = "or its id, got undefined: usually a circular import, or a name its module does not export.";

    await expect(app.runTask(lost)).rejects.toThrow(new TypeError(`runTask takes a task ${told}`));
    await expect(app.emitEvent(lost)).rejects.toThrow(new TypeError(`emitEvent takes an event ${told}`));
    expect(() => app.getResourceValue(lost)).toThrow(new TypeError(`getResourceValue takes a resource ${told}`));
    expect(() => app.getResourceConfig(lost)).toThrow(new TypeError(`getResourceConfig takes a resource ${told}`));
    await expect(app.runTask({} as ITask)).rejects.toThrow(
      new TypeError("runTask takes a task or its id, got [object Object]."),
    );
  });

  it("a running application runs the registered task of an id, whichever definition is given", async () => {
    const lookalike = r
      .task("double")
      .run(async (n: number) => n * 100)
      .build();
    await using app = await run(root);

    expect(await app.runTask(lookalike, 2)).toBe(4);
    expect(await app.runTask(double, 2)).toBe(4);
  });

  it("a running application shows its mode, by option or by NODE_ENV", async () => {
    await using detected = await run(root);
    await using chosen = await run(root, { mode: "prod" });

    expect([detected.store.mode, chosen.store.mode]).toEqual(["test", "prod"]);
  });
});
