import type { LogPrinterLevels, PrintableLog } from "./logFormat";
import { LogPrinter } from "./logPrinter";

const written: string[] = [];

function capture(): void {
  LogPrinter.setWriters({
    log: (line) => written.push(`log: ${String(line)}`),
    error: (line) => written.push(`error: ${String(line)}`),
  });
}

afterEach(() => {
  LogPrinter.resetWriters();
  written.length = 0;
  jest.restoreAllMocks();
});

const log = (level: LogPrinterLevels): PrintableLog => ({ level, message: "", timestamp: new Date(0) });

describe("LogPrinter", () => {
  it.each([
    ["info", "log"],
    ["debug", "log"],
    ["warn", "error"],
    ["error", "error"],
    ["critical", "error"],
  ] as const)("a LogPrinter sends the lines of %s to the %s writer", (level, writer) => {
    capture();

    new LogPrinter({ strategy: "plain", useColors: false }).print(log(level));

    expect(written).toHaveLength(2);
    expect(written.every((line) => line.startsWith(`${writer}: `))).toBe(true);
  });

  it.each(["json", "json_pretty"] as const)(
    "a LogPrinter sends every level to the log writer as %s, in one call",
    (strategy) => {
      capture();

      new LogPrinter({ strategy, useColors: true }).print(log("error"));

      expect(written).toHaveLength(1);
      expect(written[0]).toMatch(/^log: \{/);
    },
  );

  it("a LogPrinter falls back to the log writer when there is none for errors", () => {
    capture();
    LogPrinter.setWriters({ error: undefined });

    new LogPrinter({ strategy: "plain", useColors: false }).print(log("error"));

    expect(written[0]).toMatch(/^log: /);
  });

  it("a LogPrinter colours pretty only, when told to or given a theme", () => {
    capture();

    new LogPrinter({ strategy: "plain", useColors: true }).print(log("info"));
    new LogPrinter({ strategy: "pretty", useColors: false }).print(log("info"));
    expect(written.join("")).not.toContain("\x1b");

    new LogPrinter({ strategy: "pretty", useColors: true }).print(log("info"));
    new LogPrinter({ strategy: "pretty", useColors: false, colorTheme: { info: "<green>" } }).print(log("info"));
    expect(written[4]).toContain("\x1b[32m● ");
    expect(written[6]).toContain("<green>● ");
  });

  it("a LogPrinter writes to the console as it is at that moment, and does without one", () => {
    const consoleLog = jest.spyOn(console, "log").mockImplementation(() => {});
    const consoleError = jest.spyOn(console, "error").mockImplementation(() => {});
    const printer = new LogPrinter({ strategy: "plain", useColors: false });

    printer.print(log("info"));
    printer.print(log("error"));

    expect(consoleLog).toHaveBeenCalledTimes(2);
    expect(consoleError).toHaveBeenCalledTimes(2);
    const realConsole = globalThis.console;
    Reflect.deleteProperty(globalThis, "console");
    try {
      expect(() => printer.print(log("info"))).not.toThrow();
    } finally {
      globalThis.console = realConsole;
    }
  });

  it("a LogPrinter loses a line rather than fail the caller when a writer throws", () => {
    LogPrinter.setWriters({
      log: () => {
        throw new Error("EPIPE");
      },
    });

    expect(() => new LogPrinter({ strategy: "json", useColors: false }).print(log("info"))).not.toThrow();
  });
});
