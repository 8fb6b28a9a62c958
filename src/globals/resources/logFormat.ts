import { isError } from "../../errors/normaliseThrown";
import { describeValue } from "../../lib/describeValue";
import { toLoggable, unserializable } from "./loggableValue";

/** From the least to the most severe. */
export type LogPrinterLevels = "trace" | "debug" | "info" | "warn" | "error" | "critical";

/**
 * How a log is written: `pretty` (several lines, colours when possible), `plain` (the same without colours), `json`
 * (one line) or `json_pretty` (indented).
 */
export type PrintStrategy = "pretty" | "plain" | "json" | "json_pretty";

/** How a line is printed, by its name in 5.x. */
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

/** One JSON text. What cannot be serialised is replaced where it stands, so that the rest of the log survives. */
export function formatJson(log: PrintableLog, indent?: number): string {
  const fields = Object.entries(log).map(([key, value]) => [key, toLoggable(value)]);
  return writeJson(Object.fromEntries(fields), indent);
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
  return source ? `${header} ${paint("cyan", describeValue(toLoggable(source)))}` : header;
}

function messageLines({ level, message, timestamp, error }: PrintableLog): string[] {
  if (!message) return [];
  const column = timeOfDay(timestamp).length + " ● ".length + levelLabel(level).length + " ".length;
  const indent = " ".repeat(column);
  const text = messageText(message);
  // Colours are an application's own choice, but not those of an error's words.
  return (error || isError(message) ? visible(text) : text).split("\n").map((line) => indent + line);
}

function messageText(message: unknown): string {
  if (isError(message)) {
    const { stack } = toLoggable(message) as { stack?: unknown };
    return typeof stack === "string" ? stack : describeValue(message);
  }
  const shown = toLoggable(message);
  return typeof shown === "object" && shown !== null ? writeJson(shown, 2) : describeValue(shown);
}

function errorLines({ error, message }: PrintableLog, paint: Paint): string[] {
  if (!error) return [];
  const { name, message: text, stack } = readFacts(error);
  // What schemas say may fill the screen; it is not needed twice.
  const isShown = text.includes("\n") && visible(messageText(message)).includes(text);
  const frames = stack
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at "))
    .map((line) => `     ${paint("gray", "↳")} ${paint("dim", line.slice("at ".length))}`);
  const shown = (isShown ? `Error: ${name}` : `Error: ${name}: ${text}`).replaceAll("\n", "\n     ");
  return [`  ${branch(paint)} ${paint("error", shown)}`, ...frames];
}

/** As text, whatever a printer is given. */
function readFacts({ name, message, stack }: NonNullable<PrintableLog["error"]>) {
  const textOf = (fact: unknown): string => visible(describeValue(toLoggable(fact)));
  return { name: textOf(name), message: textOf(message), stack: textOf(stack ?? "") };
}

function dataLines({ data }: PrintableLog, paint: Paint): string[] {
  return detailLines("cyan", "Data:", toLoggable(data, maxDetailDepth), paint);
}

function contextLines({ context }: PrintableLog, paint: Paint): string[] {
  const shown = toLoggable(context, maxDetailDepth);
  // The header already names the source.
  if (typeof shown === "object" && shown !== null) Reflect.deleteProperty(shown, "source");
  return detailLines("blue", "Context:", shown, paint);
}

/** @param shown what JSON can write */
function detailLines(colour: keyof ColorTheme, title: string, shown: unknown, paint: Paint): string[] {
  if (shown === undefined || shown === null) return [];
  if (typeof shown === "object" && Object.keys(shown).length === 0) return [];
  const text = writeJson(shown, 2);
  return [`  ${branch(paint)} ${paint(colour, title)}`, ...text.split("\n").map((line) => `  ${paint("dim", line)}`)];
}

/**
 * Errors quote what others sent: escaped, that neither controls a terminal nor writes over a line. Their lines stay, and
 * stand further in than the first one of a log.
 */
const visible = (text: string): string =>
  text.replace(/[^\P{Cc}\n\t]/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`);

const branch = (paint: Paint): string => paint("gray", "╰─");

const levelLabel = (level: string): string => level.toUpperCase().padEnd(7);

/** `HH:MM:SS.mmm` in UTC. */
const timeOfDay = (timestamp: Date): string =>
  Number.isNaN(timestamp.getTime()) ? "--:--:--.---" : timestamp.toISOString().slice(11, 23);

/** @param loggable what JSON can write, unless the text is too long for the engine */
function writeJson(loggable: unknown, indent?: number): string {
  try {
    return JSON.stringify(loggable, undefined, indent) ?? unserializable;
  } catch {
    return unserializable;
  }
}
