/** What went wrong, for code that has to tell; messages are for people. */
export type SerializerErrorCode =
  | "DEPTH_EXCEEDED"
  | "TREE_TOO_LARGE"
  | "INVALID_PAYLOAD"
  | "INVALID_TYPE_DEFINITION"
  | "SYMBOL_REFUSED"
  | "TYPE_REFUSED"
  | "TYPES_NOT_LOADED"
  | "UNRESOLVED_REFERENCE"
  | "UNSUPPORTED_VALUE";

/** An error raised by the serializer itself; text that is not JSON raises the engine's `SyntaxError` instead. */
export interface SerializerError extends Error {
  readonly code: SerializerErrorCode;
}

export function serializerError(code: SerializerErrorCode, message: string): SerializerError {
  return Object.assign(new Error(message), { code });
}

/** A value that has no text form: a mistake of the calling program, hence a `TypeError`. */
export interface UnsupportedValueError extends SerializerError {
  readonly code: "UNSUPPORTED_VALUE";
  /** The value itself; not enumerable, since it is no detail to print or send. */
  readonly culprit?: unknown;
}

export function unsupportedValue(message: string, culprit?: unknown): UnsupportedValueError {
  const error = Object.assign(new TypeError(message), { code: "UNSUPPORTED_VALUE" as const });
  return Object.defineProperty(error, "culprit", { value: culprit });
}

export const unsupportedKind = (kind: string, culprit: unknown): UnsupportedValueError =>
  unsupportedValue(`Cannot serialize value of type "${kind}"`, culprit);

export function depthExceeded(maxDepth: number): SerializerError {
  return serializerError("DEPTH_EXCEEDED", `Maximum depth exceeded (${maxDepth})`);
}

/** @param limit with its unit, as "10 values" */
export function treeTooLarge(verb: "serialize" | "deserialize", limit: string): SerializerError {
  const mode = verb === "serialize" ? " in tree mode" : "";
  return serializerError("TREE_TOO_LARGE", `Cannot ${verb} more than ${limit}${mode}`);
}

export function invalidPayload(what: string): SerializerError {
  return serializerError("INVALID_PAYLOAD", `Invalid ${what} payload`);
}

/** Says the same whatever the engine; a `TypeError` as from the constructor. */
export function invalidUrl(): SerializerError {
  return Object.assign(new TypeError("Invalid URL"), { code: "INVALID_PAYLOAD" as const });
}

const longestQuotedId = 200;

/** An id for a message; a peer chooses its length, so it is cut. */
export function quoteId(id: unknown): string {
  const text = String(id);
  return text.length > longestQuotedId ? `${text.slice(0, longestQuotedId)}...` : text;
}
