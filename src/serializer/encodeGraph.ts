import type { TypeCodec } from "./codec";
import { codecOfObject, codecOfPrimitive, encodePayload, type Encoding } from "./encode";
import { isUnsafeKey } from "./markers";
import { depthExceeded } from "./serializerError";
import type { TypeRegistry } from "./typeRegistry";

/** Text of what was encoded, and of the objects met on the way. */
interface GraphEncoding extends Encoding<string> {
  /** What stands for an object that was met before. */
  readonly references: Map<object, string>;
  /** `"id":node`, children first. */
  readonly nodes: string[];
  /** How many ids were given out, in the order in which objects are met. */
  metCount: number;
  /** Property names as JSON, colon included: graphs repeat the same few. */
  readonly names: Map<string, string>;
}

/**
 * Writes the graph format, or the tree format when there is no object to refer to.
 *
 * It builds the text itself: `JSON.stringify` is slow for one object with thousands of keys, as `nodes` would be.
 *
 * @throws {SerializerError} nested deeper than `maxDepth`; a `TypeError` for functions and unique symbols
 */
export function encodeGraph(value: unknown, registry: TypeRegistry, maxDepth: number): string {
  const run: GraphEncoding = {
    registry,
    maxDepth,
    references: new Map(),
    nodes: [],
    metCount: 0,
    names: new Map(),
    suspended: [],
    encode: (inner, depth) => writeValue(inner, depth, run),
    // The object already stands for its typed self, so its fields become a node that nothing else refers to.
    encodeAgain: (inner, depth) => writeNode(inner, undefined, depth, run, nextId(run)),
  };
  const root = writeValue(value, 0, run);
  return run.metCount === 0 ? root : `{"__graph":true,"version":1,"root":${root},"nodes":{${run.nodes.join(",")}}}`;
}

function writeValue(value: unknown, depth: number, run: GraphEncoding): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (Number.isFinite(value)) return String(value);
      break;
    case "object":
      return value === null ? "null" : writeObject(value, depth, run);
  }
  return writeRecord(value, codecOfPrimitive(value, run.registry), depth, run);
}

function writeObject(value: object, depth: number, run: GraphEncoding): string {
  const codec = Array.isArray(value) ? undefined : codecOfObject(value, run);
  if (codec?.strategy === "value") return writeRecord(value, codec, depth, run);

  const known = run.references.get(value);
  if (known !== undefined) return known;
  const id = nextId(run);
  run.references.set(value, referenceTo(id));
  return writeNode(value, codec, depth, run, id);
}

function writeRecord(value: unknown, codec: TypeCodec, depth: number, run: GraphEncoding): string {
  return `{"__type":${JSON.stringify(codec.id)},"value":${encodePayload(value, codec, depth, run)}}`;
}

/** Adds a node after those below it, and returns the reference to it. */
function writeNode(value: object, codec: TypeCodec | undefined, depth: number, run: GraphEncoding, id: string): string {
  let node: string;
  if (codec) {
    node = `{"kind":"type","type":${JSON.stringify(codec.id)},"value":${encodePayload(value, codec, depth, run)}}`;
  } else if (Array.isArray(value)) {
    node = `{"kind":"array","value":[${writeItems(value, depth, run)}]}`;
  } else {
    node = `{"kind":"object","value":{${writeFields(value as Record<string, unknown>, depth, run)}}}`;
  }
  run.nodes.push(`"${id}":${node}`);
  return referenceTo(id);
}

function writeItems(items: readonly unknown[], depth: number, run: GraphEncoding): string {
  if (items.length > 0 && depth >= run.maxDepth) throw depthExceeded(run.maxDepth);
  let text = "";
  for (let index = 0; index < items.length; index += 1) {
    if (index > 0) text += ",";
    text += writeValue(items[index], depth + 1, run);
  }
  return text;
}

function writeFields(fields: Record<string, unknown>, depth: number, run: GraphEncoding): string {
  let text = "";
  for (const key of Object.keys(fields)) {
    if (isUnsafeKey(key)) continue;
    if (depth >= run.maxDepth) throw depthExceeded(run.maxDepth);
    if (text !== "") text += ",";
    text += nameOf(key, run.names) + writeValue(fields[key], depth + 1, run);
  }
  return text;
}

function nameOf(key: string, names: Map<string, string>): string {
  const known = names.get(key);
  if (known !== undefined) return known;
  const name = `${JSON.stringify(key)}:`;
  names.set(key, name);
  return name;
}

function nextId(run: GraphEncoding): string {
  run.metCount += 1;
  return `obj_${run.metCount}`;
}

const referenceTo = (id: string): string => `{"__ref":"${id}"}`;
