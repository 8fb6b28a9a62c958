import { isReservedKey, isTypeRecord, readKey, type TypeRecord } from "./markers";
import { depthExceeded } from "./serializerError";
import type { TypeRegistry } from "./typeRegistry";

/**
 * Turns what `JSON.parse` made of a text in tree format into the values it stands for.
 *
 * Works in place: the argument belongs to the decoder, and an object without markers is returned as it is.
 *
 * @throws {SerializerError} nested deeper than `maxDepth`, a type that is unknown or not allowed, a wrong payload
 */
export function decodeTree(parsed: unknown, registry: TypeRegistry, maxDepth: number): unknown {
  return typeof parsed === "object" && parsed !== null ? decodeObject(parsed, 0, { registry, maxDepth }) : parsed;
}

interface Run {
  readonly registry: TypeRegistry;
  readonly maxDepth: number;
}

function decodeObject(value: object, depth: number, run: Run): unknown {
  if (Array.isArray(value)) return decodeItems(value, depth, run);
  return typeof (value as Partial<TypeRecord>).__type === "string" && isTypeRecord(value)
    ? decodeRecord(value, depth, run)
    : decodeFields(value as Record<string, unknown>, depth, run);
}

function decodeItems(items: unknown[], depth: number, run: Run): unknown[] {
  if (items.length > 0 && depth >= run.maxDepth) throw depthExceeded(run.maxDepth);
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (typeof item !== "object" || item === null) continue;
    const decoded = decodeObject(item, depth + 1, run);
    if (decoded !== item) items[index] = decoded;
  }
  return items;
}

function decodeFields(fields: Record<string, unknown>, depth: number, run: Run): Record<string, unknown> {
  if (depth >= run.maxDepth && Object.keys(fields).some(isKept)) throw depthExceeded(run.maxDepth);
  let reserved = false;
  for (const key in fields) {
    if (isReservedKey(key)) {
      reserved = true;
      if (!isKept(key)) continue;
    }
    const field = fields[key];
    // `for in` is the fastest loop there is, but also shows what was put on `Object.prototype`.
    if (typeof field !== "object" || field === null || !Object.hasOwn(fields, key)) continue;
    const decoded = decodeObject(field, depth + 1, run);
    if (decoded !== field) fields[key] = decoded;
  }
  return reserved ? unescapeKeys(fields) : fields;
}

function decodeRecord(record: TypeRecord, depth: number, run: Run): unknown {
  const codec = run.registry.codecById(record.__type);
  const { value } = record;
  if (depth >= run.maxDepth && codec.scalar !== true) throw depthExceeded(run.maxDepth);
  return codec.deserialize(typeof value === "object" && value !== null ? decodeObject(value, depth + 1, run) : value);
}

/** Of two keys that become the same one, the later counts, as in JSON. */
function unescapeKeys(fields: Record<string, unknown>): Record<string, unknown> {
  const unescaped: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    const name = readKey(key);
    if (name !== undefined) unescaped[name] = fields[key];
  }
  return unescaped;
}

const isKept = (key: string): boolean => readKey(key) !== undefined;
