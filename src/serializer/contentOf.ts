import { isPlainObject } from "../lib/guards";
import { unsupportedKind } from "./serializerError";

/**
 * What is written of an object that is neither plain nor of a type: a copy of its own fields, which hides the `toJSON`
 * it may inherit; of a boxed primitive, the primitive.
 *
 * @throws {SerializerError} a `TypeError` for what is more than its fields: a promise, a stream, a form
 */
export function contentOf(value: object): unknown {
  if (isPlainObject(value)) return { ...value };
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (/^(?:String|Number|Boolean|BigInt|Symbol)$/.test(tag)) {
    const { valueOf } = (globalThis as unknown as Record<string, { prototype: object }>)[tag]!.prototype;
    try {
      return valueOf.call(value);
    } catch {
      // Another class that goes by the name.
    }
  }
  const kind = kindOf(value, tag);
  if (kind !== undefined) throw unsupportedKind(kind, value);
  return { ...value };
}

/** What is told by its tag alone, whichever library made it. */
const notCarried =
  /^(?:Promise|FormData|Blob|File|Request|Response|Headers|SharedArrayBuffer|Weak(?:Map|Set|Ref)|(?:Readable|Writable|Transform)Stream)$/;

function kindOf(value: object, tag: string): string | undefined {
  const { then, next, pipe, on } = value as Partial<Record<"then" | "next" | "pipe" | "on", unknown>>;
  if (typeof then === "function") return "Promise";
  if (typeof pipe === "function" && typeof on === "function") return "Stream";
  const isIterator = typeof next === "function" && (Symbol.iterator in value || Symbol.asyncIterator in value);
  if (isIterator) return tag === "Object" ? "Iterator" : tag;
  return notCarried.test(tag) ? tag : undefined;
}
