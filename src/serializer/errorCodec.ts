import { isPlainObject } from "../lib/guards";
import type { ClassCodec, CodecRun } from "./codec";
import { isUnsafeKey } from "./markers";
import { invalidPayload } from "./serializerError";

interface ErrorPayload {
  readonly name: string;
  readonly message: string;
  /** Own data properties beside the standard ones. */
  readonly customFields?: Record<string, unknown>;
  readonly stack?: string;
  readonly cause?: unknown;
}

/** Names and messages survive, subclasses do not: the other process need not have them. */
export const errorCodec = (): ClassCodec => ({
  id: "Error",
  strategy: "ref",
  prototype: Error.prototype,
  owns: () => true,
  serialize: writeError,
  deserialize: readError,
  create: () => newError(""),
});

function writeError(error: Error, { limits }: CodecRun): ErrorPayload {
  const { name, message } = error;
  const customFields: Record<string, unknown> = {};
  for (const key of Object.getOwnPropertyNames(error)) {
    if (isReservedField(key)) continue;
    const property = Object.getOwnPropertyDescriptor(error, key)!;
    if ("value" in property) customFields[key] = property.value;
  }
  // The engine puts it together when it is read.
  const stack: unknown = limits.omitErrorStacks ? undefined : error.stack;
  return {
    name: String(name),
    message: String(message),
    customFields,
    ...(typeof stack === "string" && { stack }),
    ...(Object.hasOwn(error, "cause") && { cause: error.cause }),
  };
}

function readError(payload: unknown): Error {
  if (!isErrorPayload(payload)) throw invalidPayload("Error");
  const { name, message, customFields = {}, stack } = payload;
  const error = newError(message);
  defineOwn(error, "name", name, true);
  defineOwn(error, "stack", stack ?? `${name}: ${message}`, false);
  if (Object.hasOwn(payload, "cause")) defineOwn(error, "cause", payload.cause, false);
  for (const [key, value] of Object.entries(customFields)) {
    if (!isReservedField(key)) defineOwn(error, key, value, true);
  }
  return error;
}

/** Where an error was read says nothing of where it was thrown, and takes ten times as long to find out as the rest. */
function newError(message: string): Error {
  const { stackTraceLimit } = Error;
  limitStackTraces(0);
  const error = new Error(message);
  limitStackTraces(stackTraceLimit);
  return error;
}

function limitStackTraces(limit: number): void {
  try {
    Error.stackTraceLimit = limit;
  } catch {
    // It is read-only in hardened realms.
  }
}

function isErrorPayload(payload: unknown): payload is ErrorPayload {
  if (!isPlainObject(payload)) return false;
  const { name, message, customFields, stack } = payload;
  return (
    typeof name === "string" &&
    typeof message === "string" &&
    (customFields === undefined || isPlainObject(customFields)) &&
    (stack === undefined || typeof stack === "string")
  );
}

/** By definition, since what is inherited may refuse an assignment; `stack` and `cause` as the constructor makes them. */
function defineOwn(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable, configurable: true });
}

/** Fields with a place of their own, and those that would shadow what every object inherits. */
function isReservedField(key: string): boolean {
  return isStandardField(key) || isUnsafeKey(key) || Object.hasOwn(Object.prototype, key);
}

function isStandardField(key: string): boolean {
  return key === "name" || key === "message" || key === "stack" || key === "cause" || key === "toJSON";
}
