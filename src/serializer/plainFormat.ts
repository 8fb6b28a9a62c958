import type { SerializerLike } from "./codec";

/**
 * The tree format of what JSON can write, `undefined` and dates: enough for most calls, in a fraction of the code.
 *
 * Whatever else a value or a text holds is left to the complete serializer, and so is what comes near to a limit of it.
 * For everything that is done here, both give the same.
 */

/** What is thrown for a value or a text that takes the complete serializer. One for all: it is caught, and nothing prints it. */
const beyondPlain = /* @__PURE__ */ new Error("This takes the complete serializer.");

export const isBeyondPlain = (error: unknown): boolean => error === beyondPlain;

/** Half of what serializers allow by default. */
const maxDepth = 500;
/** Values and characters that are written, together: fewer than calls allow of either. */
const maxWritten = 900_000;
/** Characters that are read: one for each half of the values that calls allow. */
const maxRead = 2_000_000;
/** What complete serializers count for a date. */
const dateChars = 64;

/** Keys that mean something to serializers, or reach a prototype. */
const special = /^(?:__(?:proto__|type|graph)|constructor|prototype)$|^\$runner\./;

/** @param maxChars most characters that may be read, as serializers count them */
export const plainFormat = (maxChars: number): SerializerLike => ({
  stringify: (value) => JSON.stringify(treeOf(value, 0, { left: maxWritten })),
  parse<T>(text: string) {
    // A character of a text makes at most four of what is counted.
    if (text.length > Math.min(maxRead, maxChars / 4)) throw beyondPlain;
    return valueOf(JSON.parse(text), 0) as T;
  },
});

/** How much more may be written. */
interface Budget {
  left: number;
}

function spend(amount: number, budget: Budget): void {
  if ((budget.left -= amount) < 0) throw beyondPlain;
}

function treeOf(value: unknown, depth: number, budget: Budget): unknown {
  if (value === undefined) return { __type: "Undefined", value: null };
  if (typeof value === "string") spend(value.length, budget);
  else if (typeof value === "object" && value !== null) return objectTreeOf(value, depth, budget);
  else if (value !== null && typeof value !== "boolean" && !Number.isFinite(value)) throw beyondPlain;
  return value;
}

function objectTreeOf(value: object, depth: number, budget: Budget): unknown {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Date.prototype) {
    spend(dateChars, budget);
    return { __type: "Date", value: (value as Date).toISOString() };
  }
  if (depth > maxDepth || "toJSON" in value) throw beyondPlain;
  if (Array.isArray(value)) {
    spend(value.length, budget);
    return Array.from(value, (item) => treeOf(item, depth + 1, budget));
  }
  if (prototype !== Object.prototype && prototype !== null) throw beyondPlain;
  const fields = value as Record<string, unknown>;
  let tree = fields;
  for (const key of Object.keys(fields)) {
    if (special.test(key)) throw beyondPlain;
    spend(1 + key.length, budget);
    const part = treeOf(fields[key], depth + 1, budget);
    // Copied where something stands for another value: assigning inherited names may be forbidden.
    if (part !== fields[key]) (tree === fields ? (tree = { ...fields }) : tree)[key] = part;
  }
  return tree;
}

/** Puts values in the place of their records; the tree is the value. */
function valueOf(tree: unknown, depth: number): unknown {
  if (typeof tree !== "object" || tree === null) return tree;
  if (depth > maxDepth) throw beyondPlain;
  if (Array.isArray(tree)) {
    for (let index = 0; index < tree.length; index += 1) tree[index] = valueOf(tree[index], depth + 1);
    return tree;
  }
  const fields = tree as Record<string, unknown>;
  const keys = Object.keys(fields);
  if (keys.join() === "__type,value") return typedValueOf(fields);
  for (const key of keys) {
    if (special.test(key)) throw beyondPlain;
    const field = fields[key];
    if (typeof field === "object" && field !== null) fields[key] = valueOf(field, depth + 1);
  }
  return fields;
}

function typedValueOf({ __type: type, value }: Record<string, unknown>): unknown {
  if (type === "Undefined" && value === null) return undefined;
  if (type === "Date" && (typeof value === "string" || typeof value === "number")) return new Date(value);
  throw beyondPlain;
}
