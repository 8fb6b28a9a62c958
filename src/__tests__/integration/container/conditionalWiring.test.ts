import { r, run, type RegisterableItems } from "../../../index";
import { appOf } from "../../support/appOf";

describe("the config a resource is given", () => {
  /** A resource that notes what each of its functions is called with. */
  function createProbe() {
    const seen: Record<string, unknown> = {};
    const probe = r
      .resource<{ name?: string } | number | undefined>("probe")
      .dependencies((config) => {
        seen["dependencies"] = config;
        return {};
      })
      .register((config) => {
        seen["register"] = config;
        return [];
      })
      .init(async (config) => void (seen["init"] = config))
      .build();
    return { seen, probe };
  }
  const everywhere = (config: unknown) => ({ dependencies: config, register: config, init: config });

  it("the config a resource is given is {} for a bare registration", async () => {
    const { seen, probe } = createProbe();

    await (await run(appOf(probe as RegisterableItems))).dispose();

    expect(seen).toEqual(everywhere({}));
  });

  it("the config a resource is given is {} for a bare root", async () => {
    const { seen, probe } = createProbe();

    await (await run(probe as never)).dispose();

    expect(seen).toEqual(everywhere({}));
  });

  it.each([{ name: "x" }, 0])(
    "the config a resource is given is what .with(%j) gave, registered or run",
    async (config) => {
      const { seen, probe } = createProbe();
      const root = createProbe();

      await (await run(appOf(probe.with(config)))).dispose();
      await (await run(root.probe.with(config))).dispose();

      expect(seen).toEqual(everywhere(config));
      expect(root.seen).toEqual(everywhere(config));
    },
  );

  it("the config of a middleware is its own for dependencies, and the attachment's for run", async () => {
    const seen: unknown[] = [];
    const limit = r.middleware
      .task<{ max?: number }>("limit")
      .dependencies((config) => {
        seen.push(["dependencies", config]);
        return {};
      })
      .run(async ({ next }, _dependencies, config) => {
        seen.push(["run", config]);
        return next();
      })
      .build();
    const task = r
      .task("task")
      .middleware([limit.with({ max: 2 })])
      .run(async () => {})
      .build();

    await using app = await run(appOf(limit, task));
    await app.runTask(task);

    expect(seen).toEqual([
      ["dependencies", {}],
      ["run", { max: 2 }],
    ]);
  });
});

describe("conditional registration", () => {
  const metrics = r
    .task("metrics")
    .run(async () => "counted")
    .build();
  const feature = r
    .resource<{ metrics: boolean }>("feature")
    .register((config) => (config.metrics ? [metrics] : []))
    .init(async () => {})
    .build();

  it.each([true, false])("conditional registration follows the config (%s)", async (enabled) => {
    await using app = await run(appOf(feature.with({ metrics: enabled })));

    expect(app.store.tasks.has("metrics")).toBe(enabled);
  });

  it("conditional registration takes null, undefined and a single item from a register function", async () => {
    const nothing = r
      .resource("nothing")
      .register(() => null)
      .build();
    const undefinedly = r
      .resource("undefinedly")
      .register(() => undefined)
      .build();
    const single = r
      .resource("single")
      .register(() => metrics)
      .build();

    await using app = await run(appOf(nothing, undefinedly, single));

    expect([...app.store.tasks.keys()]).toEqual(["metrics"]);
  });

  it("conditional registration mixes lists and functions in the order they were written", async () => {
    const child = (id: string) => r.resource(id).build();
    const root = r
      .resource<{ id: string }>("app")
      .register(child("a"))
      .register(({ id }) => [child(id)])
      .register([child("c"), child("d")])
      .build();

    await using app = await run(root.with({ id: "b" }));

    expect([...app.store.resources.keys()].filter((id) => !id.startsWith("globals."))).toEqual([
      "a",
      "b",
      "c",
      "d",
      "app",
    ]);
  });

  it("conditional registration replaces what was registered before when asked to", async () => {
    const child = (id: string) => r.resource(id).build();
    const root = r
      .resource("app")
      .register([child("a"), child("b")])
      .register(child("c"), { override: true })
      .build();

    await using app = await run(root);

    expect([...app.store.resources.keys()].filter((id) => !id.startsWith("globals."))).toEqual(["c", "app"]);
  });

  it("conditional registration also decides dependencies", async () => {
    const memory = r
      .resource("memory")
      .init(async () => "memory")
      .build();
    const disk = r
      .resource("disk")
      .init(async () => "disk")
      .build();
    const storage = r
      .resource<{ durable: boolean }>("storage")
      .dependencies(({ durable }) => ({ backend: durable ? disk : memory }))
      .init(async (_config, { backend }) => backend)
      .build();

    await using app = await run(appOf(memory, disk, storage.with({ durable: true })));

    expect(app.getResourceValue(storage)).toBe("disk");
  });
});

describe("optional dependencies", () => {
  const value = r
    .resource("value")
    .init(async () => 1)
    .build();
  const task = r
    .task("task")
    .run(async () => 2)
    .build();
  const event = r.event("event").build();
  const error = r.error<{ code: number }>("error").build();
  const context = r.asyncContext<string>("context").build();
  const all = {
    value: value.optional(),
    task: task.optional(),
    event: event.optional(),
    error: error.optional(),
    context: context.optional(),
  };
  const present = (dependencies: object) =>
    Object.entries(dependencies).flatMap(([key, dependency]) => (dependency === undefined ? [] : [key]));

  /** Depends on all of them from every kind of owner, and notes which were there. */
  function createDependents() {
    const seen: Record<string, string[]> = {};
    const owners = {
      task: r
        .task("dependentTask")
        .dependencies(all)
        .run(async (_: void, d) => void (seen["task"] = present(d)))
        .build(),
      hook: r
        .hook("dependentHook")
        .on("*")
        .dependencies(all)
        .run(async (_, d) => void (seen["hook"] = present(d)))
        .build(),
      resource: r
        .resource("dependent")
        .dependencies(all)
        .init(async (_, d) => void (seen["resource"] = present(d)))
        .build(),
      taskMiddleware: r.middleware
        .task("taskMiddleware")
        .everywhere(({ id }) => id === "dependentTask")
        .dependencies(all)
        .run(async ({ next }, d) => {
          seen["task middleware"] = present(d);
          return next();
        })
        .build(),
      resourceMiddleware: r.middleware
        .resource("resourceMiddleware")
        .everywhere(({ id }) => id === "dependent")
        .dependencies(all)
        .run(async ({ next }, d) => {
          seen["resource middleware"] = present(d);
          return next();
        })
        .build(),
    };
    return { seen, owners };
  }

  it("optional dependencies are undefined when they are not registered", async () => {
    const { seen, owners } = createDependents();

    await using app = await run(appOf(...Object.values(owners)));
    await app.runTask(owners.task);

    expect(seen).toEqual({ hook: [], resource: [], task: [], "resource middleware": [], "task middleware": [] });
  });

  it("optional dependencies are what they stand for when it is registered", async () => {
    const { seen, owners } = createDependents();
    const root = r.resource("app").register(Object.values(owners)).register([value, task, event, error, context]);

    await using app = await run(root.build());
    await app.runTask(owners.task);

    const keys = ["value", "task", "event", "error", "context"];
    expect(seen).toEqual({
      hook: keys,
      resource: keys,
      task: keys,
      "resource middleware": keys,
      "task middleware": keys,
    });
  });

  it("optional dependencies let a resource intercept the task that is there", async () => {
    const interceptor = r
      .resource("interceptor")
      .dependencies({ task: task.optional() })
      .init(async (_, { task }) => task?.intercept(async (next, input) => (await next(input)) + 1))
      .build();

    await using app = await run(appOf(task, interceptor));

    expect(await app.runTask(task)).toBe(3);
  });
});
