import type { TypeCodec } from "./codec";
import { depthExceeded, unsupportedValue } from "./serializerError";
import type { TypeRegistry } from "./typeRegistry";

/** One run of an encoder; `T` is what it makes of a value. */
export interface Encoding<T> {
  readonly registry: TypeRegistry;
  /** Deepest level that may hold something, the root being 0. */
  readonly maxDepth: number;
  /** Custom types whose own payload is being encoded, and which it may therefore not be taken for. */
  suspended: readonly string[];
  encode(value: unknown, depth: number): T;
  /** As `encode`, for a payload that is the very object it was made from. */
  encodeAgain(value: object, depth: number): T;
}

/** Whether JSON has a text for the value that means the value. */
export function isJsonScalar(value: unknown): value is string | number | boolean | null {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    default:
      return value === null;
  }
}

/**
 * The codec of a primitive that JSON lacks.
 *
 * @throws {SerializerError} a `TypeError` for a function
 */
export function codecOfPrimitive(value: unknown, { primitives }: TypeRegistry): TypeCodec {
  switch (typeof value) {
    case "number":
      return primitives.nonFinite;
    case "undefined":
      return primitives.undefined;
    case "bigint":
      return primitives.bigint;
    case "symbol":
      return primitives.symbol;
    default:
      throw unsupportedValue(`Cannot serialize value of type "${typeof value}"`);
  }
}

/** The codec of an object that is not an array, if it has one. */
export function codecOfObject(value: object, run: Encoding<unknown>): TypeCodec | undefined {
  return isPlain(value) && !run.registry.hasCustomTypes() ? undefined : run.registry.codecOf(value, run.suspended);
}

/** Encodes what a typed value is written as, one level below the value. */
export function encodePayload<T>(value: unknown, codec: TypeCodec, depth: number, run: Encoding<T>): T {
  if (depth >= run.maxDepth && codec.scalar !== true) throw depthExceeded(run.maxDepth);
  const payload = codec.serialize(value);
  const isSameType =
    codec.custom === true &&
    typeof payload === "object" &&
    payload !== null &&
    !Array.isArray(payload) &&
    run.registry.codecOf(payload, run.suspended) === codec;
  if (!isSameType) return run.encode(payload, depth + 1);

  const outer = run.suspended;
  run.suspended = [...outer, codec.id];
  const encoded = payload === value ? run.encodeAgain(payload, depth + 1) : run.encode(payload, depth + 1);
  run.suspended = outer;
  return encoded;
}

export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** What is written of an object without a type: its own fields, and nothing of a boxed string, whose characters are. */
export const fieldsOf = (value: object): Record<string, unknown> =>
  isPlain(value) ? (value as Record<string, unknown>) : value instanceof String ? {} : { ...value };
