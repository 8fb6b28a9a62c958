import type { ITask, TaskCallOptions } from "../../define/task";
import { isPlainObject } from "../../lib/guards";

/**
 * Whether what a caller was given is options and no input: the only argument, and nothing else it could be. A schema says
 * that the input matters.
 */
export function isOnlyOptions({ inputSchema }: ITask, argumentCount: number, input: unknown): input is TaskCallOptions {
  return argumentCount === 1 && inputSchema === undefined && typeof input === "object" && isCallOptions(input);
}

/** A plain object that holds a journal or a signal, either of them possibly `undefined`, and nothing else. */
function isCallOptions(value: object | null): value is TaskCallOptions {
  if (value === null || !("signal" in value || "journal" in value)) return false;
  if (!isPlainObject(value)) return false;
  return Object.entries(value).every(([key, entry]) =>
    key === "signal" ? isOptional(entry, isSignal) : key === "journal" && isOptional(entry, isJournal),
  );
}

const isOptional = (value: unknown, is: (value: unknown) => boolean): boolean => value === undefined || is(value);
const isSignal = (value: unknown): boolean => value instanceof AbortSignal;

function isJournal(value: unknown): boolean {
  return typeof value === "object" && value !== null && "get" in value && "set" in value && "has" in value;
}
