import { isPlainObject } from "../../lib/guards";
import { isFileSentinel, type FileSentinel } from "../../platform/inputFile";

/**
 * Puts file handles in the place of sentinels, in the value itself: it was just decoded, and nothing else refers to it.
 *
 * Descends into arrays and plain objects only, so dates, maps and instances beside a file stay what they are.
 *
 * @param open is asked once per id; sentinels that share one share the handle
 */
export function hydrateFiles(input: unknown, open: (sentinel: FileSentinel) => unknown): unknown {
  const handles = new Map<string, unknown>();
  // Graph payloads may contain loops.
  const visited = new Set<object>();

  function replace(value: unknown): unknown {
    if (isFileSentinel(value)) {
      let handle = handles.get(value.id);
      if (handle === undefined) handles.set(value.id, (handle = open(value)));
      return handle;
    }
    if (typeof value === "object" && value !== null) descend(value);
    return value;
  }

  function descend(value: object): void {
    if (visited.has(value)) return;
    visited.add(value);
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) value[index] = replace(value[index]);
    } else if (isPlainObject(value)) {
      for (const key of Object.keys(value)) value[key] = replace(value[key]);
    }
  }

  return replace(input);
}
