import { setTimeout } from "node:timers/promises";
import { CancellationError, globals, r, run, type ITask, type RunOptions } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";

const logger = globals.resources.logger;

/** What the console is given, in order. */
function captureConsole(): string[] {
  const lines: string[] = [];
  const write = (line: unknown) => void lines.push(String(line));
  jest.spyOn(console, "log").mockImplementation(write);
  jest.spyOn(console, "error").mockImplementation(write);
  return lines;
}
afterEach(() => void jest.restoreAllMocks());

const messagesOf = (lines: readonly string[]) =>
  lines.map((line) => (JSON.parse(line) as { message: unknown }).message);
const json: RunOptions["logs"] = { printThreshold: "debug", printStrategy: "json" };

it("an injected logger speaks in the name of its owner, whatever that is", async () => {
  const sources: unknown[] = [];
  const ping = r.event("ping").build();
  const task = r
    .task("task")
    .dependencies({ logger })
    .run(async (_: void, { logger }) => logger.info("x"))
    .build();
  const hook = r
    .hook("hook")
    .on(ping)
    .dependencies({ logger: logger.optional() })
    .run(async (_, { logger }) => logger?.info("x"))
    .build();
  const middleware = r.middleware
    .task("middleware")
    .everywhere(true)
    .dependencies({ logger })
    .run(async ({ next }, { logger }) => {
      await logger.info("x");
      return next();
    })
    .build();
  const resource = r
    .resource("resource")
    .dependencies({ logger })
    .init(async (_config, { logger }) => {
      logger.onLog(({ source }) => void sources.push(source));
      await logger.info("x");
    })
    .build();
  await using app = await run(appOf(ping, task, hook, middleware, resource));
  sources.length = 0;

  await app.runTask(task);
  await app.emitEvent(ping);
  await app.logger.info("x");
  await app.getResourceValue(logger).info("x");

  expect(sources).toEqual(["middleware", "task", "hook", undefined, undefined]);
});

it("several runs do not receive each other's logs", async () => {
  const heard: unknown[] = [];
  await using first = await run(appOf());
  await using second = await run(appOf());
  first.logger.onLog(({ message }) => void heard.push(message));

  await first.logger.info("mine");
  await second.logger.info("not mine");

  expect(heard).toEqual(["mine"]);
});

describe("bufferLogs", () => {
  const noisy = (heard: unknown[]) =>
    r
      .resource("app")
      .dependencies({ logger })
      .init(async (_config, { logger }) => {
        logger.onLog(({ message }) => void heard.push(message));
        await logger.info("root init");
      })
      .build();

  it("bufferLogs holds everything back until the root has initialised, then tells listeners and printer in order", async () => {
    const lines = captureConsole();
    const heard: unknown[] = [];
    let whileBooting = -1;
    const hook = r
      .hook("hook")
      .on(globals.events.ready)
      .run(async () => {
        whileBooting = lines.length;
      })
      .build();
    const early = r
      .resource("early")
      .dependencies({ logger })
      .init(async (_config, { logger }) => {
        await logger.info("early");
        expect(lines).toEqual([]);
      });
    const root = r.override(noisy(heard)).register([hook, early.build()]).build();

    await using app = await run(root, { logs: { ...json, bufferLogs: true }, shutdownHooks: false });

    expect(app.store.isLocked).toBe(true);
    expect(whileBooting).toBeGreaterThan(0);
    const expected = [
      "Events stored. Attaching listeners...",
      "Listeners attached. Computing dependencies...",
      "early",
      "Dependencies computed. Proceeding with initialization...",
      "root init",
      "Runner online. Awaiting tasks and events.",
    ];
    expect(messagesOf(lines)).toEqual(expected);
    expect(heard).toEqual(expected);
  });

  it("bufferLogs prints what was held back of a boot that fails, after it was rolled back", async () => {
    const lines = captureConsole();
    const early = r
      .resource("early")
      .dependencies({ logger })
      .init(async (_config, { logger }) => logger)
      .dispose(async (logger) => logger.info("rolled back"))
      .build();
    const broken = r
      .resource("broken")
      .dependencies({ early })
      .init(() => Promise.reject(new Error("no route to host")))
      .build();

    await rejectionOf(run(appOf(early, broken), { logs: { ...json, printThreshold: "info", bufferLogs: true } }));

    expect(messagesOf(lines)).toEqual([
      'Error: Resource "broken" initialization failed: no route to host',
      "rolled back",
    ]);
  });

  it("bufferLogs prints what was held back of a dry run", async () => {
    const lines = captureConsole();

    await run(appOf(), { logs: { ...json, bufferLogs: true }, dryRun: true });

    expect(messagesOf(lines)).toEqual(["Dry run mode. Skipping initialization..."]);
  });

  it("bufferLogs is off by default: logs are printed as they come", async () => {
    const lines = captureConsole();
    let atInit: unknown[] = [];
    const root = r
      .resource("app")
      .dependencies({ logger })
      .init(async (_config, { logger }) => {
        await logger.info("now");
        atInit = messagesOf(lines);
      })
      .build();

    await using app = await run(root, { logs: json });

    expect(app.store.isLocked).toBe(true);
    expect(atInit.at(-1)).toBe("now");
  });
});

describe("what is logged of a task that fails", () => {
  type Report = { level: string; source?: string; message: string; error?: { stack?: string } };
  const failing = (id: string, fail: (signal: AbortSignal) => unknown) =>
    r.task(id).run(async (_input: void, _dependencies, { signal }) => {
      await fail(signal);
    });
  const reject = (error: unknown) => () => Promise.reject(error);

  /** Runs a task of an app and gives back what was logged, the boot aside. */
  async function reportsOf(
    task: ITask<void, Promise<void>>,
    {
      others = [],
      signal,
      times = 1,
    }: { others?: ITask<void, Promise<void>>[]; signal?: AbortSignal; times?: number } = {},
  ): Promise<Report[]> {
    await using app = await run(appOf(task, ...others), { shutdownHooks: false, errorBoundary: false });
    const reports: Report[] = [];
    app.logger.onLog((log) => void reports.push(log as Report));
    for (let call = 0; call < times; call += 1) await app.runTask(task, undefined, { signal }).catch(() => {});
    await new Promise(setImmediate);
    return reports;
  }
  const callerOf = (inner: ITask<void, Promise<void>>) =>
    r
      .task("outer")
      .dependencies({ inner })
      .run(async (_input: void, { inner }) => inner())
      .build();

  it("what is logged of a task that fails is said once, of the task that failed, not of those that passed the error on", async () => {
    const inner = failing("inner", reject(new Error("boom"))).build();

    const reports = await reportsOf(callerOf(inner), { others: [inner] });

    expect(reports).toMatchObject([{ level: "error", source: "inner", message: "Error: boom" }]);
    expect(reports[0]?.error?.stack).toContain("logging.test.ts");
  });

  it("what is logged of a task that fails is said of each call, also when they all throw one object", async () => {
    const inner = failing("inner", reject(new Error("boom"))).build();

    const reports = await reportsOf(callerOf(inner), { others: [inner], times: 2 });

    expect(reports.map(({ source }) => source)).toEqual(["inner", "inner"]);
  });

  it("what is logged of a task that fails is information where the task throws an error with a status of its caller's making", async () => {
    const notFound = r.error<{ id: string }>("app.errors.notFound").httpCode(404).build();
    const inner = failing("inner", reject(notFound.create({ id: "x" }))).build();

    const reports = await reportsOf(callerOf(inner), { others: [inner] });

    expect(reports).toMatchObject([{ level: "info", source: "inner", message: 'app.errors.notFound: {"id":"x"}' }]);
    expect(reports[0]?.error).toBeUndefined();
  });

  it.each([500, undefined])(
    "what is logged of a task that fails is an error where the status is %p",
    async (status) => {
      const builder = r.error<{ id: string }>("app.errors.broken");
      const broken = status === undefined ? builder.build() : builder.httpCode(status).build();

      const reports = await reportsOf(failing("task", reject(broken.create({ id: "x" }))).build());

      expect(reports).toMatchObject([{ level: "error", error: { name: "app.errors.broken" } }]);
    },
  );

  const strict = {
    parse(): void {
      throw Object.assign(new Error('[{ "path": ["a"] }]'), { issues: [{ path: ["a"], message: "Required" }] });
    },
  };

  it("what is logged of a task that fails is one line of information where the task refuses its input", async () => {
    const task = failing("task", () => {}).inputSchema(strict);

    const reports = await reportsOf(task.build());

    expect(reports).toMatchObject([
      { level: "info", source: "task", message: "Task input validation failed for task: a: Required" },
    ]);
    expect(reports[0]?.error).toBeUndefined();
  });

  it("what is logged of a task that fails is an error with a stack where the schema of the input failed by accident", async () => {
    const broken = { parse: (value: unknown): void => void (value as { a: { b: unknown } }).a.b };
    const task = failing("task", () => {}).inputSchema(broken);

    const reports = await reportsOf(task.build());

    expect(reports).toMatchObject([{ level: "error", source: "task", error: { name: "runner.errors.validation" } }]);
  });

  it("what is logged of a task that fails is an error of the task that gave another one an input it refuses", async () => {
    const inner = failing("inner", () => {})
      .inputSchema(strict)
      .build();

    const reports = await reportsOf(callerOf(inner), { others: [inner] });

    expect(reports.map(({ level, source }) => [level, source])).toEqual([
      ["info", "inner"],
      ["error", "outer"],
    ]);
  });

  it("what is logged of a task that fails is for debugging where the task was cancelled", async () => {
    const reports = await reportsOf(failing("task", reject(new CancellationError("enough"))).build());

    expect(reports).toMatchObject([{ level: "debug", source: "task" }]);
    expect(reports[0]?.error).toBeUndefined();
  });

  it.each<[string, (signal: AbortSignal) => unknown]>([
    ["with the reason of its signal", (signal) => signal.throwIfAborted()],
    ["through a timer of Node's", (signal) => setTimeout(1000, undefined, { signal })],
  ])("what is logged of a task that fails is for debugging where the caller left: %s", async (_how, fail) => {
    const signal = AbortSignal.abort(new Error("user left"));

    const reports = await reportsOf(failing("task", fail).build(), { signal });

    expect(reports).toMatchObject([{ level: "debug", source: "task" }]);
  });

  it("what is logged of a task that fails is an error where something else failed after the caller left", async () => {
    const signal = AbortSignal.abort(new Error("user left"));

    const reports = await reportsOf(failing("task", reject(new Error("boom"))).build(), { signal });

    expect(reports).toMatchObject([{ level: "error", message: "Error: boom" }]);
  });
});

it("onUnhandledError is told which tasks stopped because their signal aborted", async () => {
  const reports: unknown[] = [];
  const reason = new Error("user left");
  const task = r
    .task("task")
    .run(async (_input: void, _dependencies, { signal }) => signal.throwIfAborted())
    .build();
  await using app = await run(appOf(task), { onUnhandledError: (info) => void reports.push(info) });

  await app.runTask(task, undefined, { signal: AbortSignal.abort(reason) }).catch(() => {});

  expect(reports).toEqual([{ error: reason, kind: "task", source: "task", cancelled: true }]);
});

describe("the printed logs", () => {
  it("the printed logs are none under NODE_ENV=test", async () => {
    const lines = captureConsole();

    await using app = await run(appOf());
    await app.logger.critical("nobody reads this");

    expect(lines).toEqual([]);
  });

  it("the printed logs carry the source run for what the boot says", async () => {
    const lines = captureConsole();

    await (await run(appOf(), { logs: json })).dispose();
    await (await run(appOf(), { logs: json, dryRun: true })).dispose();

    const logs = lines.map((line) => JSON.parse(line) as { source: string; message: string });
    expect(new Set(logs.map(({ source }) => source))).toEqual(new Set(["run"]));
    expect(logs.at(-1)?.message).toBe("Dry run mode. Skipping initialization...");
  });

  it("the printed logs show an unhandled failure of a task through the default handler", async () => {
    const lines = captureConsole();
    const task = r
      .task("task")
      .run(() => Promise.reject(new Error("boom")))
      .build();
    await using app = await run(appOf(task), { logs: { ...json, printThreshold: "error" } });

    await app.runTask(task).catch(() => {});
    await new Promise(setImmediate);

    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: "error", message: "Error: boom", source: "task", error: { message: "boom" }, data: { kind: "task" } },
    ]);
  });

  it("the printed logs show that a task failed, whatever it threw", async () => {
    const lines = captureConsole();
    const task = r
      .task("task")
      .run(() => Promise.reject(Object.create(null) as Error))
      .build();
    await using app = await run(appOf(task), { logs: { ...json, printThreshold: "error" } });

    await app.runTask(task).catch(() => {});
    await new Promise(setImmediate);

    expect(messagesOf(lines)).toEqual(["Error: [object Object]"]);
  });
});
