import {
  ansiTheme,
  formatJson,
  formatLines,
  type ColorTheme,
  type LogPrinterLevels,
  type PrintableLog,
  type PrintStrategy,
} from "./logFormat";

export interface LogPrinterOptions {
  readonly strategy: PrintStrategy;
  /** Only `pretty` has colours. */
  readonly useColors: boolean;
  /** Replaces some colours, and switches them on. */
  readonly colorTheme?: Partial<ColorTheme> | undefined;
}

/** Where printed logs go. */
export interface LogWriters {
  /** Receives one line, or one JSON text. */
  log(line: unknown): void;
  /** Receives the lines of `warn`, `error` and `critical`. Default: `log`. */
  error?: ((line: unknown) => void) | undefined;
}

/** Writes logs to the process-wide writers, in one of four forms. Printing never throws. */
export class LogPrinter {
  readonly #strategy: PrintStrategy;
  readonly #theme: ColorTheme | undefined;

  constructor({ strategy, useColors, colorTheme }: LogPrinterOptions) {
    this.#strategy = strategy;
    if (strategy === "pretty" && (useColors || colorTheme)) this.#theme = { ...ansiTheme, ...colorTheme };
  }

  print(log: PrintableLog): void {
    try {
      this.#write(log);
    } catch {
      // A writer that throws does not fail what is logged.
    }
  }

  /** Replaces some of the process-wide writers; tests and programs without a console use it. */
  static setWriters(replaced: Partial<LogWriters>): void {
    writers = { ...writers, ...replaced };
  }

  /** Back to `console.log` and `console.error`. */
  static resetWriters(): void {
    writers = consoleWriters;
  }

  #write(log: PrintableLog): void {
    if (this.#strategy === "json") return writers.log(formatJson(log));
    if (this.#strategy === "json_pretty") return writers.log(formatJson(log, 2));
    const write = (isProblem(log.level) && writers.error) || writers.log;
    for (const line of formatLines(log, this.#theme)) write(line);
  }
}

/** Looks the console up for each line: it may be missing, and test runners replace it. */
const consoleWriters: LogWriters = {
  log: (line) => globalThis.console?.log(line),
  error: (line) => globalThis.console?.error(line),
};

// eslint-disable-next-line no-restricted-syntax -- the log writers belong to the process: ARCHITECTURE.md
let writers = consoleWriters;

const isProblem = (level: LogPrinterLevels): boolean => level === "warn" || level === "error" || level === "critical";
