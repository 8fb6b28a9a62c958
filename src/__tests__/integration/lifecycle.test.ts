import { Errors, globals, r, run } from "../../index";
import { appOf } from "../support/appOf";
import { rejectionOf } from "../support/failures";

/** Resources that write down when they come and go. */
function createTrace() {
  const log: string[] = [];
  const traced = (id: string) =>
    r
      .resource(id)
      .init(async () => {
        log.push(`+${id}`);
        return id;
      })
      .dispose(async () => void log.push(`-${id}`));
  return { log, traced };
}

describe("an application of two levels", () => {
  it("initialises what is needed first and disposes in reverse", async () => {
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

  it("initialises a resource once, however many depend on it, and the root last", async () => {
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

  it("initialises what hooks and middleware need before ordinary resources", async () => {
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

  it("hands the private context of a run to init and dispose, with value, config and dependencies", async () => {
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

  it("disposes of resources without an init, with their context", async () => {
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

  it("of one definition with different configs are wired independently", async () => {
    const [first, second] = await Promise.all([run(root.with({ port: 1 })), run(root.with({ port: 2 }))]);

    expect(await Promise.all([first.runTask(ask), second.runTask(ask)])).toEqual([1, 2]);
    expect([first.getResourceConfig(root), second.getResourceConfig(root)]).toEqual([{ port: 1 }, { port: 2 }]);
    await first.dispose();
    expect(await second.runTask(ask)).toBe(2);
    await second.dispose();
  });

  it("at once keep their events and stores apart", async () => {
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

  it("may be destructured", async () => {
    const { runTask, emitEvent, getResourceValue, getResourceConfig, dispose, value: rootValue } = await run(root);

    expect(rootValue).toBe("up");
    expect(await runTask(double, 2)).toBe(4);
    expect(await runTask("double", 3)).toBe(6);
    await expect(emitEvent(changed, { n: 1 })).resolves.toBeUndefined();
    expect(getResourceValue(value)).toBe(7);
    expect(getResourceConfig("value")).toEqual({});
    await dispose();
  });

  it("says at once which id is not registered", async () => {
    await using app = await run(root);
    const other = r
      .task("other")
      .run(async () => 1)
      .build();

    expect(() => app.runTask("nope")).toThrow(new Error('Task "nope" not found.'));
    expect(() => app.runTask(other)).toThrow(new Error('Task "other" not found.'));
    expect(() => app.emitEvent("nope")).toThrow(new Error('Event "nope" not found.'));
    expect(() => app.getResourceValue("nope")).toThrow(new Error('Resource "nope" not found.'));
    expect(() => app.getResourceConfig(r.resource("nope").build())).toThrow(new Error('Resource "nope" not found.'));
  });

  it("runs the registered task of an id, whichever definition is given", async () => {
    const lookalike = r
      .task("double")
      .run(async (n: number) => n * 100)
      .build();
    await using app = await run(root);

    expect(await app.runTask(lookalike, 2)).toBe(4);
    expect(await app.runTask(double, 2)).toBe(4);
  });

  it("shows its mode, by option or by NODE_ENV", async () => {
    await using detected = await run(root);
    await using chosen = await run(root, { mode: "prod" });

    expect([detected.store.mode, chosen.store.mode]).toEqual(["test", "prod"]);
  });
});

describe("an init that fails", () => {
  it("is named, and what was initialised before it is disposed of", async () => {
    const { log, traced } = createTrace();
    const original = new Error("no route to host");
    const early = traced("early").build();
    const broken = r
      .resource("broken")
      .dependencies({ early })
      .init(async () => {
        throw original;
      })
      .dispose(async () => void log.push("-broken"))
      .build();
    const root = traced("app")
      .register(r.resource("feature").register([early, broken]).build())
      .build();

    const error = await rejectionOf(run(root));

    expect(error).toBe(original);
    expect(error.message).toBe('Resource "broken" initialization failed: no route to host');
    expect(error).toMatchObject({
      resourceId: "broken",
      resourcePath: ["app", "feature", "broken"],
      cause: { resourceId: "broken", resourcePath: ["app", "feature", "broken"] },
    });
    expect(log).toEqual(["+early", "-early"]);
  });

  it.each([
    ["a string", "down", 'Resource "b" initialization failed: down'],
    ["an error whose text happens to contain the id", new Error("boom"), 'Resource "b" initialization failed: boom'],
    ["an error that names the resource already", new Error('"b" is down'), '"b" is down'],
  ])("keeps or makes an error out of %s", async (_case, thrown, message) => {
    const broken = r
      .resource("b")
      .init(() => Promise.reject(thrown))
      .build();

    const error = await rejectionOf(run(appOf(broken)));

    expect(error.message).toBe(message);
    expect(error).toMatchObject({ resourceId: "b" });
  });

  it("of the root is passed on as it is", async () => {
    const error = await rejectionOf(
      run(
        r
          .resource("app")
          .init(() => Promise.reject(new Error("boom")))
          .build(),
      ),
    );

    expect(error.message).toBe("boom");
    expect(error).not.toHaveProperty("resourceId");
  });

  it("wins over a failure while rolling back", async () => {
    const stubborn = r
      .resource("stubborn")
      .init(async () => {})
      .dispose(() => Promise.reject(new Error("cannot close")))
      .build();
    const broken = r
      .resource("broken")
      .dependencies({ stubborn })
      .init(() => Promise.reject(new Error("boom")))
      .build();

    const error = await rejectionOf(run(appOf(stubborn, broken)));

    expect(error.message).toBe('Resource "broken" initialization failed: boom');
  });

  it("as a ready hook that throws, rolls everything back", async () => {
    const { log, traced } = createTrace();
    const hook = r
      .hook("hook")
      .on(globals.events.ready)
      .run(() => Promise.reject(new Error("not ready")))
      .build();

    const error = await rejectionOf(run(traced("app").register(hook).build()));

    expect(error.message).toBe("not ready");
    expect(log).toEqual(["+app", "-app"]);
  });
});

describe("dispose", () => {
  it("happens once, whoever asks", async () => {
    const dispose = jest.fn(async () => {});
    const app = await run(
      r
        .resource("app")
        .init(async () => 1)
        .dispose(dispose)
        .build(),
    );

    const first = app.dispose();
    await Promise.all([first, app.dispose(), app[Symbol.asyncDispose]()]);

    expect(app.dispose()).toBe(first);
    expect(dispose).toHaveBeenCalledTimes(1);
  });

  const failing = (id: string, log: string[]) =>
    r
      .resource(id)
      .init(async () => {})
      .dispose(async () => {
        log.push(id);
        throw new Error(`${id} failed`);
      })
      .build();

  it("attempts all resources and rejects with a single failure as it is", async () => {
    const log: string[] = [];
    const { log: others, traced } = createTrace();
    const app = await run(appOf(traced("first").build(), failing("second", log)));

    const error = await rejectionOf(app.dispose());

    expect(error.message).toBe("second failed");
    expect(error).not.toBeInstanceOf(AggregateError);
    expect(others).toEqual(["+first", "-first"]);
  });

  it("rejects with all failures when there are several, the first one's message first", async () => {
    const log: string[] = [];
    const app = await run(appOf(failing("a", log), failing("b", log)));

    const error = await rejectionOf(app.dispose());

    expect(log).toEqual(["b", "a"]);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.message).toMatch(/^b failed/);
    expect((error as AggregateError).errors.map((each: Error) => each.message)).toEqual(["b failed", "a failed"]);
  });

  it("silences events: later emissions reach nobody", async () => {
    const ping = r.event("ping").build();
    const heard = jest.fn(async () => {});
    const app = await run(appOf(ping, r.hook("hook").on(ping).run(heard).build()));

    await app.dispose();
    await app.emitEvent(ping);

    expect(heard).not.toHaveBeenCalled();
  });

  it("calls dispose with the definition as this", async () => {
    const seen: unknown[] = [];
    const definition = r
      .resource("app")
      .dispose(async function (this: unknown) {
        seen.push(this);
      })
      .build();

    await (await run(definition)).dispose();

    expect(seen).toEqual([definition]);
  });
});

it("resource results are checked against their schema, and named", async () => {
  const schema = {
    parse(value: unknown): number {
      if (typeof value !== "number") throw new Error("must be a number");
      return value;
    },
  };
  const port = r
    .resource("port")
    .resultSchema(schema)
    .init(() => Promise.resolve("80" as unknown as number))
    .build();

  const error = await rejectionOf(run(appOf(port)));

  expect(Errors.validationError.is(error)).toBe(true);
  expect(error.message).toBe("Resource result validation failed for port: must be a number");
  expect(error).toMatchObject({ resourceId: "port", data: { subject: "Resource result", id: "port" } });
});
