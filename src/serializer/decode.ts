import { assertParseable } from "./assertParseable";
import type { CodecRun, TypeCodec } from "./codec";
import { inheritsKeys } from "./inheritsKeys";
import { Tally, type SerializerLimits } from "./limits";
import { isGraphPayload, isReservedKey, isTypeRecord, isUnsafeKey, readKey, type NodeReference } from "./markers";
import { adoptResult, fillPlaceholder } from "./placeholder";
import { depthExceeded, invalidPayload, quoteId, serializerError } from "./serializerError";
import type { TypeRegistry } from "./typeRegistry";

/**
 * Reads a text in either format.
 *
 * Works in place on what `JSON.parse` makes of it: an object without markers is returned as it is.
 *
 * @param tally counts what the value takes
 * @throws {SerializerError} the text is JSON but breaks a limit or describes no value; a `SyntaxError` if it is not JSON
 */
export function decode(
  text: string,
  registry: TypeRegistry,
  limits: SerializerLimits,
  tally = new Tally("deserialize", limits.maxValues ?? Infinity, limits.maxChars),
): unknown {
  const { maxValues, maxChars } = tally;
  assertParseable(text, maxValues);
  const parsed: unknown = JSON.parse(text);
  const isGraph = isGraphPayload(parsed);
  // A tree has no more characters than its text; a graph may repeat what it has.
  // Types may count for several times the text they are written as.
  const countsChars = maxChars < (isGraph ? Infinity : text.length * 4);
  const isLimited = maxValues < Infinity || countsChars;
  const run: Decoding = {
    registry,
    limits,
    tally,
    maxDepth: limits.maxDepth,
    countsChars,
    inheritsKeys: inheritsKeys(),
    nodes: isGraph ? nodesById(parsed.nodes) : undefined,
    sizes: isGraph && isLimited ? new Map() : undefined,
    spent: isGraph ? new Set() : undefined,
  };
  return decodeValue(isGraph ? parsed.root : parsed, 0, run);
}

/** One run of the decoder. */
interface Decoding extends CodecRun {
  readonly registry: TypeRegistry;
  /** Deepest level that may hold something, the root being 0. */
  readonly maxDepth: number;
  /** Whether texts and keys are counted. */
  readonly countsChars: boolean;
  /** Whether `for in` shows more than an object's own keys. */
  readonly inheritsKeys: boolean;
  /** Only a graph has any. */
  readonly nodes: Nodes | undefined;
  /** What a decoded node adds to a tree wherever it is referred to; only a graph with limits has any. */
  readonly sizes: Map<Node, { readonly values: number; readonly chars: number }> | undefined;
  /** What built-in values of a graph were made from, see `assertUnspent`; only a graph has any. */
  readonly spent: Set<object> | undefined;
}

type Nodes = Readonly<Record<string, Node | null>>;

/** Untrusted at first; `kind` then says how far it was decoded. */
interface Node {
  kind?: unknown;
  readonly type?: unknown;
  value?: unknown;
}

/** A kind that no text can have: the node's value is the decoded one, although perhaps not all of its content. */
const decoded: unique symbol = /* @__PURE__ */ Symbol("decoded");

/** The kind of a typed node whose payload is being decoded. */
class OpenNode {
  referenced = false;
  /** @param placeholder what references from inside the payload receive */
  constructor(readonly placeholder: object) {}
}

/** Ids are looked up often: without a prototype and unsafe keys, every key is an id. A copy of a list has no `length`. */
function nodesById(nodes: object): Record<string, Node | null> {
  const byId = (Array.isArray(nodes) ? { ...nodes } : nodes) as Record<string, Node | null>;
  Object.setPrototypeOf(byId, null);
  for (const key of ["__proto__", "constructor", "prototype"]) if (key in byId) delete byId[key];
  return byId;
}

function decodeValue(value: unknown, depth: number, run: Decoding): unknown {
  if (typeof value === "object" && value !== null) return decodeObject(value, depth, run);
  if (run.countsChars) countText(value, run);
  return value;
}

function decodeObject(value: object, depth: number, run: Decoding): unknown {
  if (Array.isArray(value)) return decodeItems(value, depth, run);
  const { nodes } = run;
  if (nodes !== undefined && (value as Partial<NodeReference>).__ref !== undefined) {
    return decodeReference(value as NodeReference, nodes, depth, run);
  }
  return isTypeRecord(value)
    ? deserialize(run.registry.codecById(value.__type, run.limits), value.value, depth, run)
    : decodeFields(value as Record<string, unknown>, depth, run);
}

function decodeItems(items: unknown[], depth: number, run: Decoding): unknown[] {
  const { length } = items;
  if (length > 0 && depth >= run.maxDepth) throw depthExceeded(run.maxDepth);
  run.tally.add(length, 0);
  for (let index = 0; index < length; index += 1) {
    const item = items[index];
    if (typeof item !== "object" || item === null) {
      if (run.countsChars) countText(item, run);
      continue;
    }
    const value = decodeObject(item, depth + 1, run);
    if (value !== item) items[index] = value;
  }
  return items;
}

function decodeFields(fields: Record<string, unknown>, depth: number, run: Decoding): Record<string, unknown> {
  const { countsChars, nodes } = run;
  let count = 0;
  let reserved = false;
  for (const key in fields) {
    // `for in` is the fastest loop there is, but also shows what was put on `Object.prototype`.
    if (run.inheritsKeys && !Object.hasOwn(fields, key)) continue;
    if (isReservedKey(key)) {
      if (nodes === undefined) reserved = true;
      // In place, since something may refer to the object already.
      else if (isUnsafeKey(key)) delete fields[key];
      if (readKey(key) === undefined && (nodes === undefined || isUnsafeKey(key))) continue;
    }
    if (depth >= run.maxDepth) throw depthExceeded(run.maxDepth);
    count += 1;
    const field = fields[key];
    if (countsChars) {
      countText(key, run);
      countText(field, run);
    }
    if (typeof field !== "object" || field === null) continue;
    const value = decodeObject(field, depth + 1, run);
    if (value !== field) fields[key] = value;
  }
  run.tally.add(count, 0);
  return reserved ? unescapeKeys(fields) : fields;
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

function deserialize(codec: TypeCodec, value: unknown, depth: number, run: Decoding): unknown {
  if (depth >= run.maxDepth && codec.scalar !== true) throw depthExceeded(run.maxDepth);
  // Of what is plain JSON there is nothing to decode, except in a graph, where it may be a node.
  const isPlain = codec.flat === true && run.nodes === undefined && typeof value === "object";
  if (isPlain && Array.isArray(value) && value.length > 0 && depth + 1 >= run.maxDepth)
    throw depthExceeded(run.maxDepth);
  const payload = isPlain ? value : decodeValue(value, depth + 1, run);
  if (run.spent !== undefined && codec.custom !== true) assertUnspent(payload, codec, run.spent);
  return codec.deserialize(payload, run);
}

/**
 * Built-in types copy their payload, so in a graph each needs one of its own, as encoders write it. Otherwise a short
 * text that refers to one long list many times would take memory without end.
 */
function assertUnspent(payload: unknown, { id }: TypeCodec, spent: Set<object>): void {
  if (typeof payload !== "object" || payload === null) return;
  for (const part of [payload, (payload as { customFields?: unknown }).customFields]) {
    if (typeof part !== "object" || part === null) continue;
    if (spent.has(part)) throw invalidPayload(id);
    spent.add(part);
  }
}

/** A reference and the node behind it are two levels. */
function decodeReference(reference: NodeReference, nodes: Nodes, depth: number, run: Decoding): unknown {
  const { __ref: id } = reference;
  if (typeof id !== "string") throw invalidPayload("object reference");
  for (const key in reference) {
    if (key !== "__ref" && Object.hasOwn(reference, key)) throw invalidPayload("object reference");
  }
  const node = nodes[id];
  if (node === undefined || node === null) {
    throw serializerError("UNRESOLVED_REFERENCE", `Unresolved reference id "${quoteId(id)}"`);
  }
  const { kind } = node;
  if (kind === decoded) {
    const size = run.sizes?.get(node);
    if (size !== undefined) run.tally.add(size.values, size.chars);
    return node.value;
  }
  if (kind instanceof OpenNode) {
    kind.referenced = true;
    return kind.placeholder;
  }
  if (depth >= run.maxDepth) throw depthExceeded(run.maxDepth);
  const { values, chars } = run.tally;
  const value = decodeNode(node, depth + 1, run);
  run.sizes?.set(node, { values: run.tally.values - values, chars: run.tally.chars - chars });
  return value;
}

function decodeNode(node: Node, depth: number, run: Decoding): unknown {
  const { kind, value } = node;
  switch (kind) {
    case "array":
      if (!Array.isArray(value)) throw invalidPayload("array node");
      node.kind = decoded;
      return decodeItems(value, depth, run);
    case "object":
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalidPayload("object node");
      node.kind = decoded;
      return decodeFields(value as Record<string, unknown>, depth, run);
    case "type":
      node.value = decodeTypeNode(node, depth, run);
      node.kind = decoded;
      return node.value;
    default:
      throw serializerError("INVALID_PAYLOAD", "Unsupported node kind");
  }
}

function decodeTypeNode(node: Node, depth: number, run: Decoding): unknown {
  const codec = run.registry.codecById(node.type, run.limits);
  const created = codec.create?.() ?? undefined;
  const open = new OpenNode((created as object | undefined) ?? {});
  node.kind = open;
  const result = deserialize(codec, node.value, depth, run);
  if (created !== undefined) return fillPlaceholder(open.placeholder, result);
  return open.referenced ? adoptResult(open.placeholder, result, run.registry) : result;
}

/** In a graph as JSON writes it: what others refer to may be full of control characters, six units each. */
function countText(value: unknown, { tally, nodes }: Decoding): void {
  if (typeof value === "string") tally.add(0, (nodes === undefined ? value : JSON.stringify(value)).length);
}
