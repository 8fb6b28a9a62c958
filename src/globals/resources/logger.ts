import { isError } from "../../errors/normaliseThrown";
import { describeValue } from "../../lib/describeValue";
import { isThenable } from "../../lib/guards";
import { getPlatform } from "../../platform/platform";
import { unserializable } from "./loggableValue";
import type { LogPrinterLevels, PrintableLog, PrintStrategy } from "./logFormat";
import { LogPrinter } from "./logPrinter";

/** From the least to the most severe. */
export type LogLevels = LogPrinterLevels;

/** Free-form facts; `any`, so that values of interface types are accepted and listeners can read them. */
export type LogFields = Record<string, any>;

/** What a log call may add to its message. Every key besides `source`, `error` and `data` becomes context. */
export interface ILogInfo {
  /** Who logs. Default: the source the logger is bound to. */
  source?: string | undefined;
  /** An error, or whatever was thrown. */
  error?: unknown;
  /** What the log is about, for programs. */
  data?: LogFields | undefined;
  /** Becomes a part of the log's context, as every further key. */
  context?: LogFields | undefined;
  // `any` as in `LogFields`
  [key: string]: any;
}

/** One log, as listeners receive it. */
export interface ILog {
  level: LogLevels;
  source?: string | undefined;
  /** `any`: what was logged, for listeners to read. */
  message: any;
  timestamp: Date;
  error?: { name: string; message: string; stack?: string | undefined } | undefined;
  data?: LogFields | undefined;
  context?: LogFields | undefined;
}

/** Receives every log, whatever its level. Awaited; what it throws is printed and goes no further. */
export type LogListener = (log: ILog) => unknown;

export interface LoggerOptions {
  /** Least severe level that is printed; `null` prints nothing. */
  printThreshold: null | LogLevels;
  printStrategy: PrintStrategy;
  /** Keep logs, unheard and unprinted, until `lock()`. */
  bufferLogs: boolean;
  /** Default: on when stdout is a terminal and `NO_COLOR` is not set. */
  useColors?: boolean | undefined;
}

/** Writes logs with a level, a source and a context, and hands them to listeners. */
export class Logger {
  /** How severe each level is. */
  static readonly Severity = { trace: 0, debug: 1, info: 2, warn: 3, error: 4, critical: 5 } as const;

  readonly #core: LoggerCore;
  readonly #context: LogFields;
  readonly #source: string | undefined;

  /**
   * @param boundContext added to the context of every log
   * @param source who logs, unless a call says otherwise
   * @param printer default: one for `printStrategy`
   */
  constructor(
    options: LoggerOptions,
    boundContext?: LogFields,
    source?: string,
    printer?: { print(log: PrintableLog): void },
  );
  /** @internal A child: shares everything but context and source. */
  constructor(core: LoggerCore, boundContext: LogFields, source: string | undefined);
  constructor(
    from: LoggerOptions | LoggerCore,
    boundContext: LogFields = {},
    source?: string,
    printer?: { print(log: PrintableLog): void },
  ) {
    this.#core = from instanceof LoggerCore ? from : new LoggerCore(from, printer);
    this.#context = boundContext;
    this.#source = source;
  }

  /** Listeners of the whole family: a child shares those of the logger it came from. */
  get localListeners(): LogListener[] {
    return this.#core.listeners;
  }

  /** Makes a child that shares listeners, buffer, threshold and printer. Contexts merge; the source is inherited. */
  with({
    source = this.#source,
    additionalContext,
  }: {
    source?: string | undefined;
    additionalContext?: LogFields | undefined;
  }): Logger {
    const context = additionalContext ? { ...this.#context, ...readFields(additionalContext) } : this.#context;
    return childOf(this.#core, context, source);
  }

  /** Resolves once the listeners have dealt with the log; never rejects. */
  log(level: LogLevels, message: unknown, info?: ILogInfo): Promise<void> {
    return this.#core.ignores(level) ? settled : this.#core.accept(this.#describe(level, message, info));
  }

  trace(message: unknown, info?: ILogInfo): Promise<void> {
    return this.log("trace", message, info);
  }

  debug(message: unknown, info?: ILogInfo): Promise<void> {
    return this.log("debug", message, info);
  }

  info(message: unknown, info?: ILogInfo): Promise<void> {
    return this.log("info", message, info);
  }

  warn(message: unknown, info?: ILogInfo): Promise<void> {
    return this.log("warn", message, info);
  }

  error(message: unknown, info?: ILogInfo): Promise<void> {
    return this.log("error", message, info);
  }

  critical(message: unknown, info?: ILogInfo): Promise<void> {
    return this.log("critical", message, info);
  }

  /** Receives every log of the family from now on, buffered ones included. */
  onLog(listener: LogListener): void {
    this.#core.listeners.push(listener);
  }

  /** Prints a log, whatever its level, without telling the listeners. */
  print(log: ILog): void {
    this.#core.printer.print(log);
  }

  /** Ends buffering: listeners receive what was kept, in order, then what passes the threshold is printed. */
  lock(): Promise<void> {
    return this.#core.flush();
  }

  #describe(level: LogLevels, message: unknown, info?: ILogInfo): ILog {
    const { source = this.#source, error, data, ...context } = readFields(info);
    return {
      level,
      message,
      source,
      timestamp: new Date(),
      error: error === undefined || error === null ? undefined : describeError(error),
      data,
      context: { ...this.#context, ...context },
    };
  }
}

/** Not in the class: bundlers rename one that makes itself, and its name is what users see. */
const childOf = (core: LoggerCore, context: LogFields, source: string | undefined): Logger =>
  new Logger(core, context, source);

/** What a logger and all its children share. */
class LoggerCore {
  readonly listeners: LogListener[] = [];
  readonly #threshold: number;
  readonly #options: LoggerOptions;
  #printer: { print(log: PrintableLog): void } | undefined;
  #buffer: ILog[] | undefined;
  #flushed: Promise<void> | undefined;

  constructor(options: LoggerOptions, printer?: { print(log: PrintableLog): void }) {
    const { printThreshold, bufferLogs } = options;
    this.#threshold = printThreshold === null ? Infinity : Logger.Severity[printThreshold];
    this.#options = options;
    this.#printer = printer;
    this.#buffer = bufferLogs ? [] : undefined;
  }

  /** Made when something is printed, because Node.js opens stdout when it is first looked at: 2 ms of a boot. */
  get printer(): { print(log: PrintableLog): void } {
    const { printStrategy: strategy, useColors } = this.#options;
    return (this.#printer ??= new LogPrinter({ strategy, useColors: useColors ?? terminalHasColors() }));
  }

  /** Whether a log of this level would reach neither printer nor listener, so that it need not be made. */
  ignores(level: LogLevels): boolean {
    return this.#buffer === undefined && this.listeners.length === 0 && !this.#prints(level);
  }

  accept(log: ILog): Promise<void> {
    if (this.#buffer) {
      this.#buffer.push(log);
      return settled;
    }
    return this.#deliver(log);
  }

  flush(): Promise<void> {
    return (this.#flushed ??= this.#flush());
  }

  async #flush(): Promise<void> {
    if (!this.#buffer) return;
    const buffered = this.#buffer;
    // The loop also meets what is logged while listeners work.
    for (const log of buffered) {
      for (const listener of [...this.listeners]) await this.#tell(listener, log);
    }
    this.#buffer = undefined;
    for (const log of buffered) this.#printIfSevere(log);
  }

  /** Does not wait unless a listener does, so that a log before `process.exit` is printed. */
  async #deliver(log: ILog): Promise<void> {
    for (const listener of [...this.listeners]) {
      const answer = this.#tell(listener, log);
      if (answer) await answer;
    }
    this.#printIfSevere(log);
  }

  #tell(listener: LogListener, log: ILog): PromiseLike<unknown> | undefined {
    try {
      const outcome: unknown = listener(log);
      return isThenable(outcome) ? outcome.then(undefined, (error) => this.#reportListener(error)) : undefined;
    } catch (error) {
      this.#reportListener(error);
      return undefined;
    }
  }

  #printIfSevere(log: ILog): void {
    if (this.#prints(log.level)) this.printer.print(log);
  }

  #reportListener(error: unknown): void {
    this.printer.print({
      level: "error",
      message: "Error in log listener",
      timestamp: new Date(),
      error: { name: "ListenerError", message: describeError(error).message },
    });
  }

  #prints(level: LogLevels): boolean {
    // A level that does not exist is printed as "info" is, rather than not at all.
    const severity = Object.hasOwn(Logger.Severity, level) ? Logger.Severity[level] : Logger.Severity.info;
    return severity >= this.#threshold;
  }
}

/** What a call that has nothing to wait for returns. */
const settled = /* @__PURE__ */ Promise.resolve();

function describeError(error: unknown): NonNullable<ILog["error"]> {
  if (!isError(error)) return { name: "UnknownError", message: describeValue(error) };
  const { name, message, stack } = readFields(error, ["name", "message", "stack"]);
  return {
    name: describeValue(name),
    message: describeValue(message),
    stack: stack === undefined ? undefined : describeValue(stack),
  };
}

/** The fields of an object; one that throws when it is read is replaced, so that the others are logged. */
function readFields(from: object | null | undefined, keys?: readonly string[]): LogFields {
  const fields: LogFields = {};
  let names = keys;
  try {
    names ??= typeof from === "object" && from !== null ? Object.keys(from) : [];
  } catch {
    return { data: { info: unserializable } };
  }
  for (const name of names) {
    try {
      fields[name] = (from as LogFields)[name];
    } catch {
      fields[name] = unserializable;
    }
  }
  return fields;
}

/** @see https://no-color.org */
function terminalHasColors(): boolean {
  return !getPlatform().getEnv("NO_COLOR") && globalThis.process?.stdout?.isTTY === true;
}
