import type { TypeCodec } from "./codec";
import { contentOf } from "./contentOf";
import {
  codecOfObject,
  codecOfPrimitive,
  encodePayload,
  isPlain,
  scalarLength,
  startTally,
  type Encoding,
} from "./encode";
import { encodeRoot } from "./findPath";
import { inheritsKeys } from "./inheritsKeys";
import type { SerializerLimits } from "./limits";
import { isReservedKey, isUnsafeKey } from "./markers";
import { depthExceeded } from "./serializerError";
import type { TypeRegistry } from "./typeRegistry";

/** Text of what was encoded, and of the objects met on the way. */
interface GraphEncoding extends Encoding<string> {
  /** What stands for an object that was met before. */
  readonly references: Map<object, string>;
  /** `"id":node` with a comma between each, children first. Text is joined to text: a list is slower to join. */
  nodes: string;
  /** How many ids were given out, in the order in which objects are met. */
  metCount: number;
  /** Property names as JSON, between comma and colon: graphs repeat the same few. */
  readonly names: Map<string, string>;
  /** The names that were last written first, second and so on: mostly those of the next object, too. */
  readonly lastKeys: string[];
  readonly lastNames: string[];
  readonly inheritsKeys: boolean;
}

/**
 * Writes the graph format, or the tree format when there is no object to refer to.
 *
 * It builds the text itself: `JSON.stringify` is slow for one object with thousands of keys, as `nodes` would be.
 *
 * @throws {SerializerError} nested deeper than `maxDepth`, larger than the limits; a `TypeError` for what cannot be
 * carried
 */
export function encodeGraph(value: unknown, registry: TypeRegistry, limits: SerializerLimits): string {
  const run: GraphEncoding = {
    registry,
    limits,
    tally: startTally(limits),
    maxDepth: limits.maxDepth,
    references: new Map(),
    nodes: "",
    metCount: 0,
    names: new Map(),
    lastKeys: [],
    lastNames: [],
    inheritsKeys: inheritsKeys(),
    suspended: [],
    encode: (inner, depth) => writeValue(inner, depth, run),
    // The object already stands for its typed self, so its fields become a node that nothing else refers to.
    encodeAgain: (inner, depth) => writeNode(nextId(run), inner, depth, run),
    encodeFlat: (payload) =>
      Array.isArray(payload)
        ? addNode(nextId(run), `{"kind":"array","value":${JSON.stringify(payload)}}`, run)
        : JSON.stringify(payload),
  };
  const root = encodeRoot(value, run);
  return run.metCount === 0 ? root : `{"__graph":true,"version":1,"root":${root},"nodes":{${run.nodes}}}`;
}

function writeValue(value: unknown, depth: number, run: GraphEncoding): string {
  const scalar = scalarLength(value);
  if (scalar >= 0) {
    run.tally.add(0, scalar);
    return writeScalar(value as Scalar);
  }
  return typeof value === "object" && value !== null
    ? writeObject(value, depth, run)
    : writeRecord(value, codecOfPrimitive(value, run.registry), depth, run);
}

function writeObject(value: object, depth: number, run: GraphEncoding): string {
  const known = run.references.get(value);
  if (known !== undefined) return known;
  const codec = codecOfObject(value, run);
  if (codec?.strategy === "value") return writeRecord(value, codec, depth, run);
  if (codec === undefined && !Array.isArray(value) && !isPlain(value)) return writeInstance(value, depth, run);

  const id = nextId(run);
  run.references.set(value, referenceTo(id));
  if (codec === undefined) return writeNode(id, value, depth, run);
  const payload = encodePayload(value, codec, depth, run);
  return addNode(id, `{"kind":"type","type":${JSON.stringify(codec.id)},"value":${payload}}`, run);
}

function writeInstance(value: object, depth: number, run: GraphEncoding): string {
  const content = contentOf(value);
  if (typeof content !== "object" || content === null) return writeValue(content, depth, run);
  const id = nextId(run);
  run.references.set(value, referenceTo(id));
  return writeNode(id, content, depth, run);
}

function writeRecord(value: unknown, codec: TypeCodec, depth: number, run: GraphEncoding): string {
  return `{"__type":${JSON.stringify(codec.id)},"value":${encodePayload(value, codec, depth, run)}}`;
}

function writeNode(id: string, value: object, depth: number, run: GraphEncoding): string {
  return Array.isArray(value)
    ? addNode(id, `{"kind":"array","value":[${writeItems(value, depth, run)}]}`, run)
    : addNode(id, `{"kind":"object","value":{${writeFields(value as Record<string, unknown>, depth, run)}}}`, run);
}

/** Called when everything below the node has been added. */
function addNode(id: string, node: string, run: GraphEncoding): string {
  run.nodes += `${run.nodes && ","}"${id}":${node}`;
  return referenceTo(id);
}

function writeItems(items: readonly unknown[], depth: number, run: GraphEncoding): string {
  const { length } = items;
  if (length > 0 && depth >= run.maxDepth) throw depthExceeded(run.maxDepth);
  // Before anything of that length is walked: an array may have one item and a billion holes.
  run.tally.add(length, 0);
  let text = "";
  for (let index = 0; index < length; index += 1) {
    if (index > 0) text += ",";
    text += writeValue(items[index], depth + 1, run);
  }
  return text;
}

/** @param fields without anything in their prototype but what `Object.prototype` has */
function writeFields(fields: Record<string, unknown>, depth: number, run: GraphEncoding): string {
  const { inheritsKeys, lastKeys, lastNames } = run;
  let text = "";
  let count = 0;
  let chars = 0;
  for (const key in fields) {
    if (isReservedKey(key) && isUnsafeKey(key)) continue;
    if (inheritsKeys && !Object.hasOwn(fields, key)) continue;
    if (lastKeys[count] !== key) {
      lastKeys[count] = key;
      lastNames[count] = nameOf(key, run);
    }
    text += lastNames[count]!;
    count += 1;
    const field = fields[key];
    const scalar = scalarLength(field);
    if (scalar >= 0) {
      chars += scalar;
      text += writeScalar(field as Scalar);
    } else {
      text += writeValue(field, depth + 1, run);
    }
    chars += key.length;
  }
  if (count > 0 && depth >= run.maxDepth) throw depthExceeded(run.maxDepth);
  run.tally.add(count, chars);
  return text.slice(1);
}

type Scalar = string | number | boolean | null;

const writeScalar = (value: Scalar): string =>
  typeof value !== "string" ? String(value) : needsNoEscape.test(value) ? `"${value}"` : JSON.stringify(value);

/** Most texts; twice as fast as asking `JSON.stringify` about each. */
const needsNoEscape = /^[ !#-[\]-~]*$/;

function nameOf(key: string, { names }: GraphEncoding): string {
  const known = names.get(key);
  if (known !== undefined) return known;
  const name = `,${JSON.stringify(key)}:`;
  names.set(key, name);
  return name;
}

function nextId(run: GraphEncoding): string {
  run.metCount += 1;
  return `obj_${run.metCount}`;
}

const referenceTo = (id: string): string => `{"__ref":"${id}"}`;
