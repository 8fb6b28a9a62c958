import type { TypeCodec } from "./codec";
import { isTypeRecord, isUnsafeKey, type GraphPayload, type NodeReference } from "./markers";
import { adoptResult, fillPlaceholder } from "./placeholder";
import { depthExceeded, invalidPayload, quoteId, serializerError } from "./serializerError";
import type { TypeRegistry } from "./typeRegistry";

/**
 * Turns what `JSON.parse` made of a text in graph format into the values it stands for, loops included.
 *
 * Works in place, as `decodeTree`: the object in a node becomes the decoded object. A reference and the node behind it
 * count as two levels.
 *
 * @throws {SerializerError} nested deeper than `maxDepth`, a reference to nothing, a malformed node, a type that is
 * unknown or not allowed, a wrong payload
 */
export function decodeGraph(payload: GraphPayload, registry: TypeRegistry, maxDepth: number): unknown {
  return decodeValue(payload.root, 0, {
    registry,
    maxDepth,
    nodes: payload.nodes,
    decoded: new Map(),
    open: new Map(),
    spent: new Set(),
  });
}

interface Run {
  readonly registry: TypeRegistry;
  readonly maxDepth: number;
  readonly nodes: GraphPayload["nodes"];
  /** By id, objects and arrays from before their content is decoded. */
  readonly decoded: Map<string, unknown>;
  /** Typed nodes whose payload is being decoded. */
  readonly open: Map<string, OpenNode>;
  /** What built-in values were made from, see `deserialize`. */
  readonly spent: Set<object>;
}

interface UntrustedNode {
  readonly kind?: unknown;
  readonly type?: unknown;
  readonly value?: unknown;
}

interface OpenNode {
  /** What references from inside the payload receive. */
  readonly placeholder: object;
  referenced: boolean;
}

function decodeValue(value: unknown, depth: number, run: Run): unknown {
  if (depth > run.maxDepth) throw depthExceeded(run.maxDepth);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return decodeItems(value, depth, run);
  if ((value as Partial<NodeReference>).__ref !== undefined) return decodeReference(value, depth, run);
  if (isTypeRecord(value)) {
    const codec = run.registry.codecById(value.__type);
    return deserialize(codec, decodeValue(value.value, depth + 1, run), run);
  }
  return decodeFields(safeFields(value), depth, run);
}

function decodeReference(reference: object, depth: number, run: Run): unknown {
  const { __ref: id } = reference as NodeReference;
  if (typeof id !== "string" || !isOnlyKey("__ref", reference)) throw invalidPayload("object reference");

  const known = run.decoded.get(id);
  if (known !== undefined || run.decoded.has(id)) return known;
  const open = run.open.get(id);
  if (!open) return decodeNode(id, depth + 1, run);
  open.referenced = true;
  return open.placeholder;
}

function decodeNode(id: string, depth: number, run: Run): unknown {
  if (depth > run.maxDepth) throw depthExceeded(run.maxDepth);
  const node = findNode(id, run);
  const { value } = node;
  switch (node.kind) {
    case "array":
      if (!Array.isArray(value)) throw invalidPayload("array node");
      run.decoded.set(id, value);
      return decodeItems(value, depth, run);
    case "object": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalidPayload("object node");
      const fields = safeFields(value);
      run.decoded.set(id, fields);
      return decodeFields(fields, depth, run);
    }
    case "type": {
      const decoded = decodeTypeNode(id, node, depth, run);
      run.decoded.set(id, decoded);
      return decoded;
    }
    default:
      throw serializerError("INVALID_PAYLOAD", "Unsupported node kind");
  }
}

function findNode(id: string, run: Run): UntrustedNode {
  const known = !isUnsafeKey(id) && Object.prototype.propertyIsEnumerable.call(run.nodes, id);
  const node = known ? run.nodes[id] : undefined;
  if (node === undefined || node === null) {
    throw serializerError("UNRESOLVED_REFERENCE", `Unresolved reference id "${quoteId(id)}"`);
  }
  return node;
}

function decodeTypeNode(id: string, node: UntrustedNode, depth: number, run: Run): unknown {
  const codec = run.registry.codecById(node.type);
  const created = codec.create?.() ?? undefined;
  const open: OpenNode = { placeholder: (created as object | undefined) ?? {}, referenced: false };

  run.open.set(id, open);
  const result = deserialize(codec, decodeValue(node.value, depth + 1, run), run);
  run.open.delete(id);

  if (created !== undefined) return fillPlaceholder(open.placeholder, result);
  return open.referenced ? adoptResult(open.placeholder, result, run.registry) : result;
}

/**
 * Built-in types copy their payload, so each needs one of its own, as encoders write it. Otherwise a short text that
 * refers to one long list many times would take memory without end.
 */
function deserialize(codec: TypeCodec, payload: unknown, run: Run): unknown {
  if (codec.custom !== true && typeof payload === "object" && payload !== null) {
    for (const part of [payload, (payload as { customFields?: unknown }).customFields]) {
      if (typeof part !== "object" || part === null) continue;
      if (run.spent.has(part)) throw invalidPayload(codec.id);
      run.spent.add(part);
    }
  }
  return codec.deserialize(payload);
}

function decodeItems(items: unknown[], depth: number, run: Run): unknown[] {
  if (items.length > 0 && depth >= run.maxDepth) throw depthExceeded(run.maxDepth);
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (typeof item === "object" && item !== null) items[index] = decodeValue(item, depth + 1, run);
  }
  return items;
}

function decodeFields(fields: Record<string, unknown>, depth: number, run: Run): Record<string, unknown> {
  if (depth >= run.maxDepth && Object.keys(fields).length > 0) throw depthExceeded(run.maxDepth);
  for (const key in fields) {
    const field = fields[key];
    // As in the tree: the loop also shows what was put on `Object.prototype`.
    if (typeof field === "object" && field !== null && Object.hasOwn(fields, key)) {
      fields[key] = decodeValue(field, depth + 1, run);
    }
  }
  return fields;
}

/** The object itself unless it has keys to leave out; a copy must exist before anything refers to it. */
function safeFields(value: object): Record<string, unknown> {
  for (const key in value) {
    if (isUnsafeKey(key)) return Object.fromEntries(Object.entries(value).filter(([name]) => !isUnsafeKey(name)));
  }
  return value as Record<string, unknown>;
}

function isOnlyKey(expected: string, value: object): boolean {
  for (const key in value) if (key !== expected && Object.hasOwn(value, key)) return false;
  return true;
}
