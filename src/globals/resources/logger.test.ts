import type { PrintableLog } from "./logFormat";
import { Logger, type ILog, type LoggerOptions, type LogLevels } from "./logger";
import { LogPrinter } from "./logPrinter";

const levels: LogLevels[] = ["trace", "debug", "info", "warn", "error", "critical"];

function setUp(options: Partial<LoggerOptions> = {}) {
  const printed: PrintableLog[] = [];
  const heard: ILog[] = [];
  const logger = new Logger(
    { printThreshold: "info", printStrategy: "plain", bufferLogs: false, ...options },
    undefined,
    undefined,
    { print: (log) => printed.push(log) },
  );
  return { logger, printed, heard, listen: () => logger.onLog((log) => void heard.push(log)) };
}

const messages = (logs: readonly PrintableLog[]): unknown[] => logs.map(({ message }) => message);

describe("Logger", () => {
  it("a Logger prints what reaches the threshold and tells listeners everything", async () => {
    const { logger, printed, heard, listen } = setUp({ printThreshold: "warn" });
    listen();

    for (const level of levels) await logger[level](level);

    expect(messages(printed)).toEqual(["warn", "error", "critical"]);
    expect(messages(heard)).toEqual(levels);
  });

  it("a Logger prints nothing with a null threshold", async () => {
    const { logger, printed, heard, listen } = setUp({ printThreshold: null });
    listen();

    await logger.critical("m");

    expect(printed).toEqual([]);
    expect(messages(heard)).toEqual(["m"]);
  });

  it("a Logger makes a log of level, message, source, time, error, data and context", async () => {
    const { logger, heard, listen } = setUp();
    listen();
    const error = new TypeError("boom");

    await logger.error("m", { source: "app.x", error, data: { a: 1 }, requestId: 7 });

    expect(heard).toEqual([
      {
        level: "error",
        message: "m",
        source: "app.x",
        timestamp: expect.any(Date),
        error: { name: "TypeError", message: "boom", stack: error.stack },
        data: { a: 1 },
        context: { requestId: 7 },
      },
    ]);
  });

  it.each([
    ["text", "text"],
    [0, "0"],
    [Object.create(null), "[object Object]"],
  ])("a Logger describes %p as an unknown error", async (error, message) => {
    const { logger, heard, listen } = setUp();
    listen();

    await logger.error("m", { error });

    expect(heard[0]?.error).toEqual({ name: "UnknownError", message });
  });

  it("a Logger takes an error of null for none", async () => {
    const { logger, heard, listen } = setUp();
    listen();

    await logger.error("m", { error: null });

    expect(heard[0]?.error).toBeUndefined();
  });

  it("a Logger prints before it returns unless a listener is asynchronous", async () => {
    const { logger, printed, listen } = setUp();
    listen();

    void logger.info("first");
    expect(messages(printed)).toEqual(["first"]);

    logger.onLog(() => Promise.resolve());
    const second = logger.info("second");
    expect(messages(printed)).toEqual(["first"]);
    await second;
    expect(messages(printed)).toEqual(["first", "second"]);
  });

  it("a Logger does not make logs that would reach nothing", () => {
    const { logger } = setUp();
    const info = Object.defineProperty({}, "source", {
      get() {
        throw new Error("read");
      },
    });

    expect(() => logger.debug("m", info)).not.toThrow();
  });

  it("a Logger calls listeners in order, each after the one before", async () => {
    const { logger } = setUp();
    const log: string[] = [];
    logger.onLog(async () => {
      await Promise.resolve();
      log.push("slow");
    });
    logger.onLog(() => void log.push("fast"));

    await logger.info("m");

    expect(log).toEqual(["slow", "fast"]);
  });

  it("a Logger prints, ignoring the threshold, that a listener failed and goes on", async () => {
    const { logger, printed, heard, listen } = setUp({ printThreshold: null });
    logger.onLog(() => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- listeners may throw anything
      throw "text";
    });
    logger.onLog(() => Promise.reject(new Error("later")));
    listen();

    await logger.info("m");

    expect(messages(heard)).toEqual(["m"]);
    expect(printed).toEqual(
      ["text", "later"].map((message) => ({
        level: "error",
        message: "Error in log listener",
        timestamp: expect.any(Date),
        error: { name: "ListenerError", message },
      })),
    );
  });

  it("a Logger prints any log handed to print", () => {
    const { logger, printed } = setUp({ printThreshold: null });

    logger.print({ level: "trace", message: "m", timestamp: new Date(0) });

    expect(messages(printed)).toEqual(["m"]);
  });
});

describe("Logger.with", () => {
  it("Logger.with merges contexts, the innermost last, and inherits the source", async () => {
    const { logger, heard, listen } = setUp();
    listen();
    const child = logger.with({ source: "app.child", additionalContext: { a: 1, b: 1 } });
    const grandchild = child.with({ additionalContext: { b: 2, c: 2 } });

    await grandchild.info("m", { c: 3 });
    await child.with({ source: "app.other" }).info("m");

    expect(heard.map(({ source, context }) => ({ source, context }))).toEqual([
      { source: "app.child", context: { a: 1, b: 2, c: 3 } },
      { source: "app.other", context: { a: 1, b: 1 } },
    ]);
  });

  it("Logger.with shares listeners, threshold, printer and buffer with its parent", async () => {
    const { logger, printed } = setUp({ bufferLogs: true });
    const child = logger.with({ source: "app.child" });
    const heard = jest.fn();
    child.onLog(heard);

    await child.debug("below");
    await child.info("above");
    expect(printed).toEqual([]);
    await child.lock();
    await logger.info("from the parent");

    expect(heard).toHaveBeenCalledTimes(3);
    expect(messages(printed)).toEqual(["above", "from the parent"]);
    expect(child.localListeners).toBe(logger.localListeners);
  });
});

describe("Logger.lock", () => {
  it("Logger.lock tells listeners of all buffered logs in order, then prints, then stops buffering", async () => {
    const { logger, printed } = setUp({ bufferLogs: true });
    const log: unknown[] = [];
    await logger.info("one");
    await logger.debug("two");
    logger.onLog(async ({ message }) => {
      log.push(message);
      await Promise.resolve();
      expect(printed).toEqual([]);
    });

    await logger.lock();
    logger.localListeners.length = 0;
    await logger.info("three");

    expect(log).toEqual(["one", "two"]);
    expect(messages(printed)).toEqual(["one", "three"]);
  });

  it("Logger.lock keeps what is logged while listeners work in order", async () => {
    const { logger, printed } = setUp({ bufferLogs: true });
    await logger.info("one");
    logger.onLog(({ message }) => (message === "one" ? logger.info("meanwhile") : undefined));

    await logger.lock();

    expect(messages(printed)).toEqual(["one", "meanwhile"]);
  });

  it("Logger.lock does its work once", async () => {
    const { logger, printed } = setUp({ bufferLogs: true });
    await logger.info("one");

    await Promise.all([logger.lock(), logger.lock()]);
    await logger.lock();

    expect(messages(printed)).toEqual(["one"]);
  });
});

describe("Logger colours", () => {
  const written: string[] = [];
  const terminal = Object.getOwnPropertyDescriptor(process.stdout, "isTTY");
  const noColor = process.env["NO_COLOR"];

  afterEach(() => {
    LogPrinter.resetWriters();
    written.length = 0;
    if (terminal) Object.defineProperty(process.stdout, "isTTY", terminal);
    else Reflect.deleteProperty(process.stdout, "isTTY");
    if (noColor === undefined) delete process.env["NO_COLOR"];
    else process.env["NO_COLOR"] = noColor;
  });

  it.each([
    [{ isTTY: true, noColor: "", useColors: undefined }, true],
    [{ isTTY: true, noColor: "1", useColors: undefined }, false],
    [{ isTTY: undefined, noColor: "", useColors: undefined }, false],
    [{ isTTY: true, noColor: "", useColors: false }, false],
    [{ isTTY: undefined, noColor: "1", useColors: true }, true],
  ])("colours of a Logger with %p are used: %p", async ({ isTTY, noColor, useColors }, expected) => {
    Object.defineProperty(process.stdout, "isTTY", { value: isTTY, configurable: true });
    process.env["NO_COLOR"] = noColor;
    LogPrinter.setWriters({ log: (line) => written.push(String(line)) });

    await new Logger({ printThreshold: "info", printStrategy: "pretty", bufferLogs: false, useColors }).info("m");

    expect(written.join("").includes("\x1b")).toBe(expected);
  });
});
