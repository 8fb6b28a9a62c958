import { isError } from "../../errors/normaliseThrown";

/** From the least to the most severe. */
export type LogPrinterLevels = "trace" | "debug" | "info" | "warn" | "error" | "critical";

/**
 * How a log is written: `pretty` (several lines, colours when possible), `plain` (the same without colours), `json`
 * (one line) or `json_pretty` (indented).
 */
export type PrintStrategy = "pretty" | "plain" | "json" | "json_pretty";

export type LogPrinterPrintStrategy = PrintStrategy;

/** What can be printed. */
export interface PrintableLog {
  readonly level: LogPrinterLevels;
  readonly source?: string | undefined;
  readonly message: unknown;
  readonly timestamp: Date;
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string | undefined } | undefined;
  readonly data?: Record<string, unknown> | undefined;
  readonly context?: Record<string, unknown> | undefined;
}

/** ANSI sequences, by what they paint. */
export type ColorTheme = Record<LogPrinterLevels | "reset" | "bold" | "dim" | "blue" | "cyan" | "gray", string>;

export const ansiTheme: Readonly<ColorTheme> = {
  trace: "\x1b[90m",
  debug: "\x1b[36m",
  info: "\x1b[32m",
  warn: "\x1b[33m",
  error: "\x1b[31m",
  critical: "\x1b[35m",
  reset: "\x1b[0m",
  bold: "\x1b[1m",
  dim: "\x1b[2m",
  blue: "\x1b[34m",
  cyan: "\x1b[36m",
  gray: "\x1b[90m",
};

const icons: Record<LogPrinterLevels, string> = {
  trace: "○",
  debug: "◆",
  info: "●",
  warn: "▲",
  error: "✕",
  critical: "█",
};

/** Levels of nesting shown for data and context; what lies deeper is named by its kind. */
const maxDetailDepth = 3;

const unserializable = "[Unserializable]";

/** One JSON text. A field that cannot be serialised is replaced, so that the rest of the log survives. */
export function formatJson(log: PrintableLog, indent?: number): string {
  const text = stringify(log, indent);
  if (text !== undefined) return text;
  const fields = Object.entries(log).map(([key, value]) => [key, canStringify(value) ? value : unserializable]);
  return stringify(Object.fromEntries(fields), indent) ?? unserializable;
}

/**
 * The lines of the `pretty` and `plain` strategies: a header, the message, then error, data and context if there are.
 *
 * @param theme colours to use; without one there are none
 */
export function formatLines(log: PrintableLog, theme?: ColorTheme): string[] {
  const paint: Paint = theme ? (name, text) => `${theme[name]}${text}${theme.reset}` : (_name, text) => text;
  const details = [...errorLines(log, paint), ...dataLines(log, paint), ...contextLines(log, paint)];
  return [
    headerLine(log, paint, theme),
    ...messageLines(log),
    ...(details.length > 0 ? ["", ...details, ""] : []),
    // Parts one log from the next.
    "",
  ];
}

type Paint = (name: keyof ColorTheme, text: string) => string;

function headerLine({ level, timestamp, source }: PrintableLog, paint: Paint, theme?: ColorTheme): string {
  const icon = icons[level] ?? icons.info;
  const label = levelLabel(level);
  // The label inherits the colour of the icon, hence no reset between the two.
  const badge = theme ? `${theme[level] ?? theme.info}${icon} ${theme.bold}${label}${theme.reset}` : `${icon} ${label}`;
  const header = `${paint("gray", timeOfDay(timestamp))} ${badge}`;
  return source ? `${header} ${paint("cyan", source)}` : header;
}

function messageLines({ level, message, timestamp }: PrintableLog): string[] {
  if (!message) return [];
  const column = timeOfDay(timestamp).length + " ● ".length + levelLabel(level).length + " ".length;
  const indent = " ".repeat(column);
  return messageText(message)
    .split("\n")
    .map((line) => indent + line);
}

function messageText(message: unknown): string {
  if (isError(message)) return message.stack ?? String(message);
  if (typeof message === "object" && message !== null) return stringify(message, 2) ?? unserializable;
  return typeof message === "function" ? "function()" : String(message);
}

function errorLines({ error, message }: PrintableLog, paint: Paint): string[] {
  if (!error) return [];
  // What schemas say may fill the screen; it is not needed twice.
  const isShown = error.message.includes("\n") && messageText(message).includes(error.message);
  const frames = (error.stack ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at "))
    .map((line) => `     ${paint("gray", "↳")} ${paint("dim", line.slice("at ".length))}`);
  return [
    `  ${branch(paint)} ${paint("error", isShown ? `Error: ${error.name}` : `Error: ${error.name}: ${error.message}`)}`,
    ...frames,
  ];
}

function dataLines({ data }: PrintableLog, paint: Paint): string[] {
  return hasKeys(data) ? [`  ${branch(paint)} ${paint("cyan", "Data:")}`, ...detailLines(data, paint)] : [];
}

function contextLines({ context }: PrintableLog, paint: Paint): string[] {
  // The header already names the source.
  const { source: _source, ...rest } = context ?? {};
  return hasKeys(rest) ? [`  ${branch(paint)} ${paint("blue", "Context:")}`, ...detailLines(rest, paint)] : [];
}

function detailLines(details: object, paint: Paint): string[] {
  const text = stringify(details, 2, maxDetailDepth) ?? unserializable;
  return text.split("\n").map((line) => `  ${paint("dim", line)}`);
}

const branch = (paint: Paint): string => paint("gray", "╰─");

const levelLabel = (level: string): string => level.toUpperCase().padEnd(7);

/** `HH:MM:SS.mmm` in UTC. */
const timeOfDay = (timestamp: Date): string =>
  Number.isNaN(timestamp.getTime()) ? "--:--:--.---" : timestamp.toISOString().slice(11, 23);

const hasKeys = (value: object | undefined): value is object => value !== undefined && Object.keys(value).length > 0;

/**
 * `JSON.stringify` for values that were not made for it: cycles, bigints, functions and errors have a text.
 *
 * @param maxDepth objects nested deeper become `"[Object]"` or `"[Array]"`. Default: no limit.
 * @returns `undefined` when a `toJSON` or getter throws, or the value nests too deep for the engine
 */
function stringify(value: unknown, indent?: number, maxDepth = Infinity): string | undefined {
  // The objects around the value being visited, as they are and as they are shown; the root has none.
  const ancestors: { readonly original: unknown; readonly shown: unknown }[] = [];
  function describe(this: unknown, _key: string, current: unknown): unknown {
    if (typeof current === "bigint") return current.toString();
    if (typeof current === "function") return "function()";
    if (typeof current !== "object" || current === null) return current;
    while (ancestors.length > 0 && ancestors.at(-1)?.shown !== this) ancestors.pop();
    if (ancestors.some(({ original }) => original === current)) return "[Circular]";
    if (ancestors.length >= maxDepth) return Array.isArray(current) ? "[Array]" : "[Object]";
    const shown = isError(current) ? describeError(current) : current;
    ancestors.push({ original: current, shown });
    return shown;
  }
  try {
    return JSON.stringify(value, describe, indent);
  } catch {
    return undefined;
  }
}

/** The facts of an error are not enumerable, so JSON would show `{}`. */
function describeError(error: Error): object {
  const { name, message, stack, cause } = error;
  return { name, message, stack, cause, ...(error as object) };
}

function canStringify(value: unknown): boolean {
  return value === undefined || stringify(value) !== undefined;
}
