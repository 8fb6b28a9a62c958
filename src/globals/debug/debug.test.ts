import { globals, levelNormal, r, run, type DebugFriendlyConfig, type ILog, type RegisterableItems } from "../../index";
import { appOf } from "../../__tests__/support/appOf";
import { rejectionOf } from "../../__tests__/support/failures";

const { debug: debugTag, system } = globals.tags;

/** Runs an application and collects what the debug parts log, with the elapsed time left out; the boot is included. */
async function start(option: DebugFriendlyConfig | undefined, ...items: readonly RegisterableItems[]) {
  const logs: ILog[] = [];
  const listening = r
    .resource("listening")
    .tags([system])
    .dependencies({ logger: globals.resources.logger })
    .init(async (_config, { logger }) => logger.onLog((log) => void logs.push(log)))
    .build();
  // Buffered, so that the listener receives what is logged before it is there.
  const app = await run(appOf(listening, ...items), {
    debug: option,
    errorBoundary: false,
    logs: { printThreshold: null, bufferLogs: true },
    onUnhandledError: () => {},
  });
  const debugged = () => logs.filter(({ source }) => source?.startsWith("globals.debug."));
  return {
    app,
    debugged,
    messages: () => debugged().map(({ message }) => String(message).replace(/ in \d+ms$/, " in {n}ms")),
    forget: () => void (logs.length = 0),
    [Symbol.asyncDispose]: () => app.dispose(),
  };
}

const double = r
  .task("double")
  .run(async (input: number) => input * 2)
  .build();

describe("run(app, { debug })", () => {
  it("logs the life of a task in order, at the level info, in the name of the part that logs", async () => {
    await using started = await start("normal", double);
    started.forget();

    await expect(started.app.runTask(double, 2)).resolves.toBe(4);

    expect(started.messages()).toEqual([
      "Middleware triggered for task double",
      "Task double is running...",
      "Task double completed in {n}ms",
      "Middleware completed for task double",
    ]);
    expect(started.debugged().map(({ level, source, data }) => ({ level, source, data }))).toEqual(
      [
        "globals.debug.resources.middlewareInterceptor",
        "globals.debug.middleware.task.executionTracker",
        "globals.debug.middleware.task.executionTracker",
        "globals.debug.resources.middlewareInterceptor",
      ].map((source) => ({ level: "info", source, data: undefined })),
    );
  });

  it("verbose adds the input and the result of a task", async () => {
    await using started = await start("verbose", double);
    started.forget();

    await started.app.runTask(double, 2);

    expect(started.debugged().flatMap(({ data }) => data ?? [])).toEqual([{ input: 2 }, { result: 4 }]);
  });

  it("a task that fails is logged as failed, with its error where results are logged, and rejects as it did", async () => {
    const failing = r
      .task("failing")
      .run(async () => Promise.reject(new RangeError("too far")))
      .build();
    const outcome = async (level: "normal" | "verbose") => {
      await using started = await start(level, failing);
      started.forget();
      expect(await rejectionOf(started.app.runTask(failing))).toMatchObject({ name: "RangeError", message: "too far" });
      const failed = started.debugged().find(({ message }) => String(message).startsWith("Task failing failed in "));
      return [started.messages(), failed?.error?.message];
    };
    const messages = [
      "Middleware triggered for task failing",
      "Task failing is running...",
      "Task failing failed in {n}ms",
      "Middleware failed for task failing",
    ];

    expect(await outcome("normal")).toEqual([messages, undefined]);
    expect(await outcome("verbose")).toEqual([messages, "too far"]);
  });

  it.each(["sequential", "parallel"] as const)(
    "logs every resource of the application and none of the framework, %s",
    async (initMode) => {
      const logs: ILog[] = [];
      const logger = globals.resources.logger;
      const listening = r
        .resource("listening")
        .tags([system])
        .dependencies({ logger })
        .init(async (_config, { logger }) => logger.onLog((log) => void logs.push(log)))
        .build();
      const db = r
        .resource<{ url: string }>("db")
        .init(async ({ url }) => ({ connectedTo: url }))
        .build();
      const root = r
        .resource("root")
        .register([listening, db.with({ url: "memory:" })])
        .dependencies({ db, queue: globals.resources.queue })
        .build();

      await using app = await run(root, {
        debug: "verbose",
        initMode,
        logs: { printThreshold: null, bufferLogs: true },
      });

      const lines = logs.filter(({ source }) => source?.startsWith("globals.debug."));
      const tracked = lines.filter(({ source }) => source === "globals.debug.middleware.resource.executionTracker");
      expect(tracked.map(({ message, data }) => [String(message).replace(/ in \d+ms$/, ""), data])).toEqual([
        ["Resource db is initializing...", { config: { url: "memory:" } }],
        ["Resource db initialized", { result: { connectedTo: "memory:" } }],
        ["Resource root is initializing...", undefined],
        ["Resource root initialized", undefined],
      ]);
      expect(lines.map(({ message }) => String(message)).filter((each) => each.startsWith("Middleware"))).toEqual([
        "Middleware triggered for resource db",
        "Middleware completed for resource db",
        "Middleware triggered for resource root",
        "Middleware completed for resource root",
      ]);
      expect(app.getResourceValue(db)).toEqual({ connectedTo: "memory:" });
    },
  );

  it("a resource that fails is logged as failed, and fails the boot as it did", async () => {
    const logs: unknown[] = [];
    const listening = r
      .resource("listening")
      .tags([system])
      .dependencies({ logger: globals.resources.logger })
      .init(async (_config, { logger }) => logger.onLog(({ message }) => void logs.push(message)))
      .build();
    const broken = r
      .resource("broken")
      .init(async () => Promise.reject(new Error("no disk")))
      .dependencies({ listening })
      .build();

    const error = await rejectionOf(
      run(appOf(listening, broken), { debug: "normal", logs: { printThreshold: null }, onUnhandledError: () => {} }),
    );

    expect(error.message).toBe('Resource "broken" initialization failed: no disk');
    expect(logs.map((each) => String(each).replace(/ in \d+ms$/, ""))).toEqual(
      expect.arrayContaining(["Resource broken failed", "Middleware failed for resource broken"]),
    );
  });

  it("logs an emission before its hooks, and each hook before and after it ran", async () => {
    const order: string[] = [];
    const ping = r.event<{ n: number }>("ping").build();
    const first = r
      .hook("first")
      .on(ping)
      .order(-5)
      .run(async () => void order.push("first"))
      .build();
    const second = r
      .hook("second")
      .on(ping)
      .run(async () => Promise.reject(new Error("deaf")))
      .build();
    await using started = await start({ ...levelNormal, logEventEmissionInput: true }, ping, first, second);
    started.forget();

    await rejectionOf(started.app.emitEvent(ping, { n: 1 }));

    expect(order).toEqual(["first"]);
    expect(started.messages()).toEqual([
      "Event ping emitted",
      "Hook triggered for first",
      "Hook completed for first",
      "Hook triggered for second",
      "Hook failed for second",
    ]);
    expect(started.debugged()[0]).toMatchObject({
      source: "globals.debug.hooks.onAnyEvent",
      data: { data: { n: 1 } },
    });
    expect(started.debugged()[1]).toMatchObject({ source: "globals.debug.resources.hookInterceptor" });
  });

  it("what a hook returns is passed on by the interceptor that logs it", async () => {
    const ping = r.event("ping").build();
    const hook = r
      .hook("hook")
      .on(ping)
      .run(async () => "pong")
      .build();
    await using started = await start("normal", ping, hook);
    const manager = started.app.getResourceValue(globals.resources.eventManager);
    const emission = { id: "ping", tags: [], data: undefined } as never;

    await expect(manager.executeHookWithInterceptors(hook, emission, {})).resolves.toBe("pong");
  });

  it("is silent without the option, and with no flag on", async () => {
    const ping = r.event("ping").build();
    const hook = r
      .hook("hook")
      .on(ping)
      .run(async () => {})
      .build();
    for (const option of [undefined, {}, { logTaskBeforeRun: false }]) {
      await using started = await start(option, double, ping, hook);
      await started.app.runTask(double, 1);
      await started.app.emitEvent(ping);
      expect(started.messages()).toEqual([]);
    }
  });

  it("registers nothing of it without the option", async () => {
    await using app = await run(appOf(double), { logs: { printThreshold: null } });
    const store = app.getResourceValue(globals.resources.store);

    expect([...store.resources.keys(), ...store.taskMiddlewares.keys()].filter((id) => id.includes("debug"))).toEqual(
      [],
    );
  });

  it.each([
    ["logTaskBeforeRun", ["Task double is running..."]],
    ["logTaskInput", ["Task double is running..."]],
    ["logTaskAfterRun", ["Task double completed in {n}ms"]],
    ["logTaskOutput", ["Task double completed in {n}ms"]],
    ["logMiddlewareBeforeRun", ["Middleware triggered for task double"]],
    ["logMiddlewareAfterRun", ["Middleware completed for task double"]],
    ["logEventEmissionOnRun", ["Event ping emitted"]],
    ["logEventEmissionInput", ["Event ping emitted"]],
    ["logHookTriggered", ["Hook triggered for hook"]],
    ["logHookCompleted", ["Hook completed for hook"]],
  ])("the flag %s alone logs its line and no other", async (flag, expected) => {
    const ping = r.event("ping").build();
    const hook = r
      .hook("hook")
      .on(ping)
      .run(async () => {})
      .build();
    await using started = await start({ [flag]: true }, double, ping, hook);
    started.forget();

    await started.app.runTask(double, 1);
    await started.app.emitEvent(ping);

    expect(started.messages()).toEqual(expected);
  });

  it("the tag of a definition comes before what the run says, for each kind of definition", async () => {
    const quiet = r
      .task("quiet")
      .tags([debugTag.with({})])
      .run(async () => 1)
      .build();
    const loud = r
      .task("loud")
      .tags([debugTag.with({ logTaskInput: true })])
      .run(async (input: string) => input)
      .build();
    const ping = r
      .event("ping")
      .tags([debugTag.with({})])
      .build();
    const hook = r
      .hook("hook")
      .on(ping)
      .tags([debugTag.with({ logHookTriggered: true })])
      .run(async () => {})
      .build();
    const db = r
      .resource("db")
      .tags([debugTag.with({ logResourceAfterRun: true })])
      .init(async () => 1)
      .build();
    await using started = await start("normal", quiet, loud, ping, hook, db);
    expect(started.messages().filter((each) => each.includes(" db"))).toEqual(["Resource db initialized in {n}ms"]);
    started.forget();

    await started.app.runTask(quiet);
    await started.app.runTask(loud, "x");
    await started.app.emitEvent(ping);

    expect(started.messages()).toEqual(["Task loud is running...", "Hook triggered for hook"]);
    expect(started.debugged()[0]?.data).toEqual({ input: "x" });
  });

  it("what bears the system tag is left out", async () => {
    const hidden = r
      .task("hidden")
      .tags([system])
      .run(async () => 1)
      .build();
    const ping = r.event("ping").tags([system]).build();
    const hook = r
      .hook("hook")
      .on(ping)
      .run(async () => {})
      .build();
    await using started = await start("verbose", hidden, ping, hook);
    started.forget();

    await started.app.runTask(hidden);
    await started.app.emitEvent(ping);

    expect(started.messages()).toEqual([]);
  });

  it("each run has a config of its own", async () => {
    await using loud = await start("normal", double);
    await using quiet = await start({ logTaskAfterRun: true }, double);
    loud.forget();
    quiet.forget();

    await loud.app.runTask(double, 1);
    await quiet.app.runTask(double, 1);

    expect(loud.messages()).toHaveLength(4);
    expect(quiet.messages()).toEqual(["Task double completed in {n}ms"]);
  });

  it("an override of the logger may depend on resources of the application", async () => {
    const sink = r
      .resource("sink")
      .init(async () => "sink")
      .build();
    const own = r
      .override(globals.resources.logger)
      .dependencies({ sink })
      .init(async () => ({ own: true }) as never)
      .build();
    const root = r.resource("root").register([sink]).overrides([own]).build();

    await using app = await run(root, { debug: "verbose", logs: { printThreshold: null } });

    expect(app.getResourceValue(sink)).toBe("sink");
  });

  it("what is printed is bounded, whatever a task is given", async () => {
    const lines: string[] = [];
    jest.spyOn(console, "log").mockImplementation((line: unknown) => void lines.push(String(line)));
    const length = r
      .task("length")
      .run(async (input: string) => input.length)
      .build();
    await using app = await run(appOf(length), {
      debug: { logTaskInput: true },
      logs: { printThreshold: "info", printStrategy: "json" },
    });
    lines.length = 0;

    await app.runTask(length, "x".repeat(3_000_000));
    jest.restoreAllMocks();

    expect(lines).toHaveLength(1);
    expect(lines[0]?.length).toBeLessThan(1_001_000);
    expect(lines[0]).toContain("[… 2000000 more]");
  });
});
