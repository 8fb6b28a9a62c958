import { normalizeError } from "../errors/normaliseThrown";
import { describeValue } from "../lib/describeValue";
import type { UncaughtErrorSource } from "../platform/processEvents";

export type UnhandledErrorKind = "process" | "task" | "middleware" | "resourceInit" | "hook" | "run";

/** An error nobody in the application handled, and where it came from. */
export interface OnUnhandledErrorInfo {
  readonly error: unknown;
  readonly kind?: UnhandledErrorKind | undefined;
  /** Id of the definition that failed, or the process event. */
  readonly source?: string | undefined;
}

/** Receives such errors; what it throws or rejects with is swallowed. */
export type OnUnhandledError = (info: OnUnhandledErrorInfo) => void | Promise<void>;

/** The part of a logger the default handler writes to. */
export interface ErrorLog {
  error(message: string, info: { source?: string | undefined; error: Error; data: Record<string, unknown> }): unknown;
}

/** Makes the handler of runs that bring none: it logs the error with its source and kind. */
export function createDefaultUnhandledError(logger: ErrorLog): OnUnhandledError {
  return async ({ error, kind, source }) => {
    const normalised = normalizeError(error);
    await logger.error(describeValue(normalised), { source, error: normalised, data: { kind } });
  };
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
    // There is nobody left to tell.
  }
}
