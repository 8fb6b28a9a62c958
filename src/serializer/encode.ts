import type { CodecRun, TypeCodec } from "./codec";
import { depthExceeded, unsupportedKind } from "./serializerError";
import { Tally, type SerializerLimits } from "./limits";
import type { TypeRegistry } from "./typeRegistry";

/** One run of an encoder; `T` is what it makes of a value. */
export interface Encoding<T> extends CodecRun {
  readonly registry: TypeRegistry;
  /** Deepest level that may hold something, the root being 0. */
  readonly maxDepth: number;
  /** Custom types whose own payload is being encoded, and which it may therefore not be taken for. */
  suspended: readonly string[];
  encode(value: unknown, depth: number): T;
  /** As `encode`, for a payload that is the very object it was made from. */
  encodeAgain(value: object, depth: number): T;
  /** What is made of a payload that is plain JSON. */
  encodeFlat(payload: unknown): T;
}

/**
 * Most values that are encoded when no limit is stated: a task that returns what it was sent, or an array with one item
 * far out, must not be able to hang the process.
 */
const defaultMaxValues = 10_000_000;

export const startTally = ({ maxValues = defaultMaxValues, maxChars }: SerializerLimits): Tally =>
  new Tally("serialize", maxValues, maxChars);

/** How many UTF-16 units a value has that JSON can write as it is, 0 if it is no text; -1 for every other value. */
export function scalarLength(value: unknown): number {
  switch (typeof value) {
    case "string":
      return value.length;
    case "boolean":
      return 0;
    case "number":
      return Number.isFinite(value) ? 0 : -1;
    default:
      return value === null ? 0 : -1;
  }
}

/**
 * The codec of a primitive that JSON lacks.
 *
 * @throws {SerializerError} a `TypeError` for a function
 */
export function codecOfPrimitive(value: unknown, { primitives }: TypeRegistry): TypeCodec {
  const codec = primitives[typeof value];
  if (codec === undefined) throw unsupportedKind(typeof value, value);
  return codec;
}

/** The codec of an object, if it has one; arrays have none. */
export function codecOfObject(value: object, { registry, suspended }: Encoding<unknown>): TypeCodec | undefined {
  if (Array.isArray(value) || (registry.customs.length === 0 && isPlain(value))) return undefined;
  return registry.codecOf(value, suspended);
}

/** Encodes what a typed value is written as, one level below the value. */
export function encodePayload<T>(value: unknown, codec: TypeCodec, depth: number, run: Encoding<T>): T {
  if (depth >= run.maxDepth && codec.scalar !== true) throw depthExceeded(run.maxDepth);
  const payload = codec.serialize(value, run);
  if (typeof payload === "string") run.tally.add(0, payload.length);
  if (codec.flat === true) {
    if (Array.isArray(payload) && payload.length > 0 && depth + 1 >= run.maxDepth) throw depthExceeded(run.maxDepth);
    return run.encodeFlat(payload);
  }
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
