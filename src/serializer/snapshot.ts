import { isPlainObject } from "../lib/guards";

/** Deeper than values may be by default. */
const maxDepth = 1000;

/** A copy of what programs change after they have handed it over: lists, plain objects, maps, sets and dates. */
export function snapshotOf<T>(value: T): T {
  const copies = new Map<unknown, unknown>();

  function copyOf(original: unknown, depth: number): unknown {
    if (typeof original !== "object" || original === null || depth > maxDepth) return original;
    return copies.get(original) ?? copyObject(original, depth + 1);
  }

  function copyObject(original: object, depth: number): unknown {
    const remember = <C>(copy: C): C => {
      copies.set(original, copy);
      return copy;
    };
    if (Array.isArray(original)) {
      const list = remember<unknown[]>([]);
      for (const item of original) list.push(copyOf(item, depth));
      return list;
    }
    if (original instanceof Map) {
      const map = remember(new Map<unknown, unknown>());
      for (const [key, item] of original) map.set(copyOf(key, depth), copyOf(item, depth));
      return map;
    }
    if (original instanceof Set) {
      const set = remember(new Set());
      for (const item of original) set.add(copyOf(item, depth));
      return set;
    }
    if (original instanceof Date) return remember(new Date(original));
    if (!isPlainObject(original)) return remember(original);
    const fields = remember({ ...original });
    for (const key of Object.keys(fields)) fields[key] = copyOf(fields[key], depth);
    return fields;
  }

  return copyOf(value, 0) as T;
}
