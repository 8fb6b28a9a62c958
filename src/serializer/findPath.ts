import type { Encoding } from "./encode";
import { unsupportedValue, type UnsupportedValueError } from "./serializerError";

/**
 * Encodes a value. An error about something inside it says where that is, on a second line: `at input.items[3]`. The
 * place is searched for once it is needed, so that encoding does not have to keep track of it.
 */
export function encodeRoot<T>(root: unknown, run: Encoding<T>): T {
  try {
    return run.encode(root, 0);
  } catch (error) {
    const { culprit, message } = (error ?? {}) as Partial<UnsupportedValueError>;
    const path = culprit === undefined ? undefined : findPath(root, culprit, run);
    throw path ? unsupportedValue(`${message}\n  at ${path}`) : error;
  }
}

/** Walks as encoders do; what a map holds stands at the place it has in the map's payload. */
function findPath(root: unknown, wanted: unknown, run: Encoding<unknown>): string | undefined {
  const seen = new Set<unknown>();

  function search(value: unknown, path: string): string | undefined {
    if (value === wanted) return path;
    if (typeof value !== "object" || value === null || seen.has(value)) return undefined;
    seen.add(value);
    if (Array.isArray(value)) return searchItems(value, path);
    const codec = run.registry.codecOf(value, []);
    if (codec?.flat) return undefined;
    const fields = codec ? codec.serialize(value, run) : value;
    if (codec && fields !== value) return search(fields, path);
    for (const key of Object.keys(value)) {
      const step = /^[\w$]+$/.test(key) ? `${path && "."}${key}` : `[${JSON.stringify(key)}]`;
      const found = search((value as Record<string, unknown>)[key], path + step);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  function searchItems(items: readonly unknown[], path: string): string | undefined {
    for (let index = 0; index < items.length; index += 1) {
      const found = search(items[index], `${path}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  return search(root, "");
}
