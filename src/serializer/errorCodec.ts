import { isPlainObject } from "../lib/guards";
import type { ClassCodec } from "./codec";
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
export const createErrorCodec = (): ClassCodec => ({
  id: "Error",
  strategy: "ref",
  prototype: Error.prototype,
  owns: () => true,
  serialize: writeError,
  deserialize: readError,
  create: () => new Error(),
});

function writeError(error: Error): ErrorPayload {
  const { name, message, stack } = error;
  const customFields: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    if (!isReservedField(key) && "value" in property) customFields[key] = property.value;
  }
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
  const error = new Error(message);
  defineOwn(error, "name", name, true);
  if (stack !== undefined) defineOwn(error, "stack", stack, false);
  if (Object.hasOwn(payload, "cause")) defineOwn(error, "cause", payload.cause, false);
  for (const [key, value] of Object.entries(customFields)) {
    if (!isReservedField(key)) defineOwn(error, key, value, true);
  }
  return error;
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
