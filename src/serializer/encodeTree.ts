import type { TypeCodec } from "./codec";
import { codecOfObject, codecOfPrimitive, encodePayload, fieldsOf, isJsonScalar, type Encoding } from "./encode";
import { escapePrefix, isGraphPayload, isReservedKey, isTypeRecord, isUnsafeKey, type TypeRecord } from "./markers";
import { depthExceeded, treeTooLarge, unsupportedValue, type SerializerError } from "./serializerError";
import type { TypeRegistry } from "./typeRegistry";

/** Depth up to which the limit alone ends a loop; deeper runs remember where they are. */
const unwatchedDepth = 1000;

interface TreeEncoding extends Encoding<unknown> {
  /** The objects around the current one; absent while loops are not watched for. */
  readonly ancestors: Set<object> | undefined;
  /** Values met so far, shared ones every time: the tree repeats them. */
  visited: number;
}

/**
 * Most values of one tree. A few kilobytes of graph text can share structure so that its tree would have billions;
 * a task that returns what it was sent must not be able to hang the process with it.
 */
const maxTreeValues = 10_000_000;

/**
 * Makes a value that `JSON.stringify` writes in tree format.
 *
 * Changes nothing it is given and copies only what leads to a typed value: plain data comes back itself.
 *
 * @throws {SerializerError} nested deeper than `maxDepth`; a `TypeError` for loops, functions and unique symbols
 */
export function encodeTree(value: unknown, registry: TypeRegistry, maxDepth: number): unknown {
  const encoded = encodeRoot(value, registry, maxDepth);
  return isGraphPayload(encoded) ? hideGraph(encoded) : encoded;
}

function encodeRoot(value: unknown, registry: TypeRegistry, maxDepth: number): unknown {
  try {
    return encodeValue(value, 0, startRun(registry, Math.min(maxDepth, unwatchedDepth), undefined));
  } catch (error) {
    if ((error as Partial<SerializerError> | null)?.code !== "DEPTH_EXCEEDED") throw error;
    // A loop, or more depth than was tried: the slower run decides.
    return encodeValue(value, 0, startRun(registry, maxDepth, new Set()));
  }
}

function startRun(registry: TypeRegistry, maxDepth: number, ancestors: Set<object> | undefined): TreeEncoding {
  const run: TreeEncoding = {
    registry,
    maxDepth,
    ancestors,
    visited: 0,
    suspended: [],
    encode: (value, depth) => encodeValue(value, depth, run),
    encodeAgain: (value, depth) => encodeUnwatched(value, depth, run),
  };
  return run;
}

function encodeValue(value: unknown, depth: number, run: TreeEncoding): unknown {
  if (isJsonScalar(value)) return value;
  return typeof value === "object" && value !== null
    ? encodeObject(value, depth, run)
    : encodeTyped(value, codecOfPrimitive(value, run.registry), depth, run);
}

function encodeObject(value: object, depth: number, run: TreeEncoding): unknown {
  const { ancestors } = run;
  if (ancestors === undefined) return encodeUnwatched(value, depth, run);
  if (ancestors.has(value)) throw unsupportedValue("Cannot serialize circular structure in tree mode");
  ancestors.add(value);
  const encoded = encodeUnwatched(value, depth, run);
  ancestors.delete(value);
  return encoded;
}

function encodeUnwatched(value: object, depth: number, run: TreeEncoding): unknown {
  run.visited += 1;
  if (run.visited > maxTreeValues) throw treeTooLarge(maxTreeValues);
  if (Array.isArray(value)) return encodeItems(value, depth, run);
  const codec = codecOfObject(value, run);
  return codec ? encodeTyped(value, codec, depth, run) : encodeFields(value, depth, run);
}

function encodeTyped(value: unknown, codec: TypeCodec, depth: number, run: TreeEncoding): TypeRecord {
  return { __type: codec.id, value: encodePayload(value, codec, depth, run) };
}

function encodeItems(source: readonly unknown[], depth: number, run: TreeEncoding): readonly unknown[] {
  if (source.length > 0 && depth >= run.maxDepth) throw depthExceeded(run.maxDepth);
  // The items of the array are counted as they are met, its scalars by their number.
  run.visited += source.length;
  // A copy hides a `toJSON`.
  let items = "toJSON" in source ? [...source] : source;
  for (let index = 0; index < source.length; index += 1) {
    const item = source[index];
    if (isJsonScalar(item)) continue;
    const encoded = encodeValue(item, depth + 1, run);
    if (encoded === item) continue;
    if (items === source) items = [...source];
    (items as unknown[])[index] = encoded;
  }
  return items;
}

function encodeFields(object: object, depth: number, run: TreeEncoding): Record<string, unknown> {
  if (depth >= run.maxDepth && !Object.keys(object).every(isUnsafeKey)) throw depthExceeded(run.maxDepth);
  // Only a copy of its fields hides the `toJSON` a class instance may inherit.
  const source = fieldsOf(object);
  let fields = source;
  let reserved = typeof source.__type === "string" && isTypeRecord(source);
  let count = 0;

  for (const key in source) {
    count += 1;
    if (isReservedKey(key)) {
      reserved = true;
      if (isUnsafeKey(key)) continue;
    }
    const field = source[key];
    // `for in` is the fastest loop there is, but also shows what was put on `Object.prototype`.
    if (isJsonScalar(field) || !Object.hasOwn(source, key)) continue;
    const encoded = encodeValue(field, depth + 1, run);
    if (encoded === field) continue;
    if (fields === source) fields = { ...source };
    fields[key] = encoded;
  }
  run.visited += count;
  return reserved ? escapeKeys(fields) : fields;
}

/** Leaves out unsafe keys and renames those a reader would take for markers. */
function escapeKeys(fields: Record<string, unknown>): Record<string, unknown> {
  const looksTyped = isTypeRecord(fields);
  const escaped: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    if (isUnsafeKey(key)) continue;
    const isMarker = (looksTyped && key === "__type") || key.startsWith(escapePrefix);
    escaped[isMarker ? escapePrefix + key : key] = fields[key];
  }
  return escaped;
}

/** Renames the one key that would make a reader take the root for the graph format. */
function hideGraph(root: object): object {
  const entries = Object.entries(root).map(([key, field]) => [key === "__graph" ? escapePrefix + key : key, field]);
  return Object.fromEntries(entries) as object;
}
