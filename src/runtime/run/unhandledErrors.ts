import { isCancellationError } from "../../errors/cancellation";
import { isRunnerError } from "../../errors/defineError";
import { isError, normalizeError } from "../../errors/normaliseThrown";
import { describeValidation, validationError } from "../../errors/runErrors";
import { isAccidental } from "../../errors/validationIssues";
import { requestAborted, WireFailure } from "../../errors/wireErrors";
import type { CallFacts } from "../../lib/callFacts";
import { describeValue } from "../../lib/describeValue";
import { getPlatform } from "../../platform/platform";
import type { UncaughtErrorSource } from "../../platform/processEvents";

/** Where an error came from that nothing else handled. */
export type UnhandledErrorKind = "process" | "task" | "middleware" | "resourceInit" | "hook" | "run";

/** An error that the application did not handle, where it came from, and of a task the request and trace that it was called in. */
export interface OnUnhandledErrorInfo extends CallFacts {
  readonly error: unknown;
  readonly kind?: UnhandledErrorKind | undefined;
  /** Id of the definition that failed, or the process event. */
  readonly source?: string | undefined;
  /** Set where a task stopped because its signal aborted: it threw a cancellation, or what the signal of its call made it throw. */
  readonly cancelled?: true | undefined;
}

/** Receives such errors; what it throws or rejects with is swallowed. */
export type OnUnhandledError = (info: OnUnhandledErrorInfo) => void | Promise<void>;

/** The part of a logger the default handler writes to; one with `error` alone gets everything there. */
export interface ErrorLog {
  error(message: string, info: ExpectedFailureInfo & { error: Error }): unknown;
  info?(message: string, info: ExpectedFailureInfo): unknown;
  debug?(message: string, info: ExpectedFailureInfo): unknown;
}

type ExpectedFailureInfo = { source?: string | undefined; data: Record<string, unknown> } & CallFacts;

/**
 * Makes a handler that logs the error with its source and kind.
 *
 * A task that was cancelled is logged at "debug", one that refused its caller (its own input did not fit, or it threw an
 * error with a 4xx `httpCode`) at "info", both without a stack. Tasks that pass an error on are not logged again.
 */
export function createDefaultUnhandledError(logger: ErrorLog): OnUnhandledError {
  const isNews = createRepeatFilter();
  return async (info) => {
    const { error, kind, source, cancelled: _cancelled, ...call } = info;
    const level = levelOf(info);
    if (kind === "task" && !isNews(error, source, level)) return;
    const facts = { source, data: { kind }, ...call };
    const write = level === "error" ? undefined : logger[level]?.bind(logger);
    if (write !== undefined) return void (await write(describeExpected(error), facts));
    const normalised = normalizeError(error);
    await logger.error(describeValue(normalised), { error: normalised, ...facts });
  };
}

/**
 * Makes the handler of runs that bring none: `createDefaultUnhandledError`, and for what reaches the process an exit code
 * of 1, as the process goes on and would end with 0.
 */
export function createRunErrorHandler(logger: ErrorLog): OnUnhandledError {
  const handle = createDefaultUnhandledError(logger);
  return (info) => {
    if (info.kind !== "process") return handle(info);
    getPlatform().setExitCode?.(1);
    const { kind, source } = info;
    const error = normalizeError(info.error);
    return logger.error(`${describeValue(error)}\n  ${processGoesOn}`, { source, error, data: { kind } }) as void;
  };
}

const processGoesOn =
  "The process goes on, and ends with exit code 1 unless it is told another. Decide yourself with " +
  "run(app, { onUnhandledError }); with run(app, { errorBoundary: false }) the runtime ends the process.";

type FailureLevel = "debug" | "info" | "error";

/** Only tasks have callers; any other failure is unexpected. */
function levelOf({ error, kind, source, cancelled }: OnUnhandledErrorInfo): FailureLevel {
  if (kind !== "task") return "error";
  if (cancelled || (error instanceof WireFailure && error.status === requestAborted.status)) return "debug";
  return isCallersFault(error, source) ? "info" : "error";
}

/** A task whose own input did not fit was called wrongly; the same failure further in is a mistake of the task itself. */
function isCallersFault(error: unknown, source: string | undefined): boolean {
  // A file of the caller's that is too large, too slow or not what it says.
  if (error instanceof WireFailure) return error.status < 500;
  if (validationError.is(error)) {
    const { subject, id, originalError } = error.data;
    return subject === "Task input" && id === source && !isAccidental(originalError);
  }
  return isRunnerError(error) && error.httpCode !== undefined && error.httpCode >= 400 && error.httpCode < 500;
}

const describeExpected = (error: unknown): string =>
  validationError.is(error) ? describeValidation(error.data) : describeValue(error);

/**
 * Distinguishes an error that is new from one that another task passes on. What is thrown anew by the same task is news, as some
 * throw one object for ever; so is what was expected further in and is no more.
 */
function createRepeatFilter(): (error: unknown, source: string | undefined, level: FailureLevel) => boolean {
  const told = new WeakMap<object, { readonly source: string | undefined; readonly level: FailureLevel }>();
  return (error, source, level) => {
    if (typeof error !== "object" || error === null) return true;
    const before = told.get(error);
    const isNews = before === undefined || before.source === source || (level === "error" && before.level !== "error");
    if (isNews) told.set(error, { source, level });
    return isNews;
  };
}

/** Whether a task failed because it was asked to stop. Timers and streams of Node make an error of their own of it. */
export function gaveUp(error: unknown, signal: AbortSignal | undefined): boolean {
  if (isCancellationError(error)) return true;
  if (signal?.aborted !== true) return false;
  if (error === signal.reason) return true;
  // What reads from the caller's own connection fails with its loss.
  return isError(error) && (error.name === "AbortError" || (error as { code?: unknown }).code === "ECONNRESET");
}

/** Makes what the process safety nets call from a handler of unhandled errors. */
export function bindProcessErrorHandler(
  handler: OnUnhandledError,
): (error: unknown, source: UncaughtErrorSource) => Promise<void> {
  return (error, source) => safeReportUnhandledError(handler, { error, kind: "process", source });
}

/** Reports to a handler that may itself fail; the promise never rejects. */
export async function safeReportUnhandledError(handler: OnUnhandledError, info: OnUnhandledErrorInfo): Promise<void> {
  try {
    await handler(info);
  } catch {
    // The failure of a handler cannot be reported.
  }
}
