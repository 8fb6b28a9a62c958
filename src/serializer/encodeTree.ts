import type { TypeCodec } from "./codec";
import { contentOf } from "./contentOf";
import { codecOfPrimitive, encodePayload, isPlain, scalarLength, startTally, type Encoding } from "./encode";
import { encodeRoot } from "./findPath";
import { inheritsKeys } from "./inheritsKeys";
import type { SerializerLimits } from "./limits";
import { escapePrefix, isGraphPayload, isReservedKey, isTypeRecord, isUnsafeKey, type TypeRecord } from "./markers";
import { depthExceeded, unsupportedValue, type SerializerError } from "./serializerError";
import type { TypeRegistry } from "./typeRegistry";

/** Depth up to which the limit alone ends a loop; deeper runs remember where they are. */
const unwatchedDepth = 1000;

interface TreeEncoding extends Encoding<unknown> {
  /** The objects around the current one; absent while loops are not watched for. */
  readonly ancestors: Set<object> | undefined;
  readonly inheritsKeys: boolean;
}

/**
 * Makes a value that `JSON.stringify` writes in tree format.
 *
 * Changes nothing it is given and copies only what leads to a typed value: plain data comes back itself.
 *
 * @throws {SerializerError} nested deeper than `maxDepth`, larger than the limits; a `TypeError` for loops and for what
 * cannot be carried
 */
export function encodeTree(value: unknown, registry: TypeRegistry, limits: SerializerLimits): unknown {
  const encoded = encodeRootValue(value, registry, limits);
  return isGraphPayload(encoded) ? hideGraph(encoded) : encoded;
}

function encodeRootValue(value: unknown, registry: TypeRegistry, limits: SerializerLimits): unknown {
  const { maxDepth } = limits;
  try {
    return encodeRoot(value, startRun(registry, limits, Math.min(maxDepth, unwatchedDepth)));
  } catch (error) {
    if ((error as Partial<SerializerError> | null)?.code !== "DEPTH_EXCEEDED") throw error;
    // A loop, or more depth than was tried: the slower run decides.
    return encodeRoot(value, startRun(registry, limits, maxDepth, new Set()));
  }
}

const startRun = (
  registry: TypeRegistry,
  limits: SerializerLimits,
  maxDepth: number,
  ancestors?: Set<object>,
): TreeEncoding => ({
  registry,
  limits,
  tally: startTally(limits),
  maxDepth,
  ancestors,
  inheritsKeys: inheritsKeys(),
  suspended: [],
  encode: encodeInRun,
  encodeAgain: encodeAgainInRun,
  encodeFlat,
});

// Methods that all runs share: a run is made for every call and every reply.
function encodeInRun(this: TreeEncoding, value: unknown, depth: number): unknown {
  return encodeValue(value, depth, this);
}

function encodeAgainInRun(this: TreeEncoding, value: object, depth: number): unknown {
  return encodeUnwatched(value, depth, this);
}

const encodeFlat = (payload: unknown): unknown => payload;

function encodeValue(value: unknown, depth: number, run: TreeEncoding): unknown {
  const scalar = scalarLength(value);
  if (scalar >= 0) {
    run.tally.add(0, scalar);
    return value;
  }
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
  if (Array.isArray(value)) return encodeItems(value, depth, run);
  const plain = isPlain(value);
  const codec = plain && run.registry.customs.length === 0 ? undefined : run.registry.codecOf(value, run.suspended);
  if (codec !== undefined) return encodeTyped(value, codec, depth, run);
  const content = plain ? value : contentOf(value);
  return typeof content === "object"
    ? encodeFields(content as Record<string, unknown>, depth, run)
    : encodeValue(content, depth, run);
}

function encodeTyped(value: unknown, codec: TypeCodec, depth: number, run: TreeEncoding): TypeRecord {
  return { __type: codec.id, value: encodePayload(value, codec, depth, run) };
}

function encodeItems(source: readonly unknown[], depth: number, run: TreeEncoding): readonly unknown[] {
  const { length } = source;
  if (length > 0 && depth >= run.maxDepth) throw depthExceeded(run.maxDepth);
  // Before anything of that length is walked or made: an array may have one item and a billion holes.
  run.tally.add(length, 0);
  let chars = 0;
  // A copy hides a `toJSON`.
  let items = "toJSON" in source ? [...source] : source;
  for (let index = 0; index < length; index += 1) {
    const item = source[index];
    const scalar = scalarLength(item);
    if (scalar >= 0) {
      chars += scalar;
      continue;
    }
    const encoded = encodeValue(item, depth + 1, run);
    if (encoded === item) continue;
    if (items === source) items = [...source];
    (items as unknown[])[index] = encoded;
  }
  run.tally.add(0, chars);
  return items;
}

/** @param source without anything in its prototype but what `Object.prototype` has */
function encodeFields(source: Record<string, unknown>, depth: number, run: TreeEncoding): Record<string, unknown> {
  if (depth >= run.maxDepth && !Object.keys(source).every(isUnsafeKey)) throw depthExceeded(run.maxDepth);
  let fields = source;
  let reserved = typeof source.__type === "string" && isTypeRecord(source);
  let count = 0;
  let chars = 0;

  for (const key in source) {
    // `for in` is the fastest loop there is, but also shows what was put on `Object.prototype`.
    if (run.inheritsKeys && !Object.hasOwn(source, key)) continue;
    count += 1;
    chars += key.length;
    if (isReservedKey(key)) {
      reserved = true;
      if (isUnsafeKey(key)) continue;
    }
    const field = source[key];
    const scalar = scalarLength(field);
    if (scalar >= 0) {
      chars += scalar;
      continue;
    }
    const encoded = encodeValue(field, depth + 1, run);
    if (encoded === field) continue;
    if (fields === source) fields = { ...source };
    fields[key] = encoded;
  }
  run.tally.add(count, chars);
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
