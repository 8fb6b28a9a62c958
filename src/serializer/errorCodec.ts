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
  error.name = name;
  if (stack !== undefined) defineHidden(error, "stack", stack);
  if (Object.hasOwn(payload, "cause")) defineHidden(error, "cause", payload.cause);
  for (const [key, value] of Object.entries(customFields)) {
    if (!isReservedField(key)) (error as unknown as Record<string, unknown>)[key] = value;
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

/** As the constructor defines them, so that loops and spreads do not show them. */
function defineHidden(error: Error, key: "stack" | "cause", value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true });
}

/** Fields with a place of their own, and those that would shadow what every object inherits. */
function isReservedField(key: string): boolean {
  return isStandardField(key) || isUnsafeKey(key) || Object.hasOwn(Object.prototype, key);
}

function isStandardField(key: string): boolean {
  return key === "name" || key === "message" || key === "stack" || key === "cause" || key === "toJSON";
}
