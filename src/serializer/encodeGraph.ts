import type { TypeCodec } from "./codec";
import { codecOfObject, codecOfPrimitive, encodePayload, fieldsOf, isJsonScalar, type Encoding } from "./encode";
import { isUnsafeKey } from "./markers";
import { depthExceeded } from "./serializerError";
import type { TypeRegistry } from "./typeRegistry";

/** Text of what was encoded, and of the objects met on the way. */
interface GraphEncoding extends Encoding<string> {
  /** What stands for an object that was met before. */
  readonly references: Map<object, string>;
  /** `"id":node` with a comma before each, children first. Joined text by text: an array of them is slower to join. */
  nodes: string;
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
    nodes: "",
    metCount: 0,
    names: new Map(),
    suspended: [],
    encode: (inner, depth) => writeValue(inner, depth, run),
    // The object already stands for its typed self, so its fields become a node that nothing else refers to.
    encodeAgain: (inner, depth) => writeNode(nextId(run), inner, depth, run),
  };
  const root = writeValue(value, 0, run);
  return run.metCount === 0 ? root : `{"__graph":true,"version":1,"root":${root},"nodes":{${run.nodes.slice(1)}}}`;
}

function writeValue(value: unknown, depth: number, run: GraphEncoding): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object" && value !== null) return writeObject(value, depth, run);
  return isJsonScalar(value) ? String(value) : writeRecord(value, codecOfPrimitive(value, run.registry), depth, run);
}

function writeObject(value: object, depth: number, run: GraphEncoding): string {
  const codec = Array.isArray(value) ? undefined : codecOfObject(value, run);
  if (codec?.strategy === "value") return writeRecord(value, codec, depth, run);

  const known = run.references.get(value);
  if (known !== undefined) return known;
  const id = nextId(run);
  run.references.set(value, referenceTo(id));
  if (!codec) return writeNode(id, value, depth, run);
  const payload = encodePayload(value, codec, depth, run);
  return addNode(id, `{"kind":"type","type":${JSON.stringify(codec.id)},"value":${payload}}`, run);
}

function writeRecord(value: unknown, codec: TypeCodec, depth: number, run: GraphEncoding): string {
  return `{"__type":${JSON.stringify(codec.id)},"value":${encodePayload(value, codec, depth, run)}}`;
}

function writeNode(id: string, value: object, depth: number, run: GraphEncoding): string {
  const node = Array.isArray(value)
    ? `{"kind":"array","value":[${writeItems(value, depth, run)}]}`
    : `{"kind":"object","value":{${writeFields(fieldsOf(value), depth, run)}}}`;
  return addNode(id, node, run);
}

/** Called when everything below the node has been added. */
function addNode(id: string, node: string, run: GraphEncoding): string {
  run.nodes += `,"${id}":${node}`;
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
