import { isUnsafeKey } from "./markers";
import { serializerError, type SerializerError } from "./serializerError";
import type { TypeRegistry } from "./typeRegistry";

/** Gives an instance from `create()` the content of the decoded one, which others may already refer to. */
export function fillPlaceholder(placeholder: object, result: unknown): unknown {
  if (typeof result !== "object" || result === null || result === placeholder) return result;
  if (placeholder instanceof Map && result instanceof Map) {
    placeholder.clear();
    for (const [key, value] of result) placeholder.set(key, value);
  } else if (placeholder instanceof Set && result instanceof Set) {
    placeholder.clear();
    for (const value of result) placeholder.add(value);
  } else if (placeholder instanceof Date && result instanceof Date) {
    placeholder.setTime(result.getTime());
  } else {
    copyOwn(result, placeholder);
  }
  return placeholder;
}

/**
 * Makes the bare object that was handed out for a type without `create()` into what its `deserialize` returned.
 *
 * @throws {SerializerError} the result cannot move into another object: a primitive, an array, a built-in instance
 */
export function adoptResult(placeholder: object, result: unknown, registry: TypeRegistry): object {
  if (typeof result !== "object" || result === null) {
    throw cannotAdopt("for a type without create() that deserializes to a non-object value");
  }
  if (Array.isArray(result) || registry.isBuiltin(result)) {
    throw cannotAdopt("for a type without create(); provide create() for identity-safe placeholders");
  }
  Object.setPrototypeOf(placeholder, Object.getPrototypeOf(result) as object | null);
  copyOwn(result, placeholder);
  return placeholder;
}

/** Hidden properties too: an error keeps its message in one. */
function copyOwn(from: object, to: object): void {
  for (const key of Reflect.ownKeys(from)) {
    if (typeof key === "string" && isUnsafeKey(key)) continue;
    Object.defineProperty(to, key, Object.getOwnPropertyDescriptor(from, key) as PropertyDescriptor);
  }
}

const cannotAdopt = (why: string): SerializerError =>
  serializerError("UNRESOLVED_REFERENCE", `Cannot preserve circular references ${why}`);
