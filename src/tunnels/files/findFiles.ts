import { isPlainObject } from "../../lib/guards";
import { isFileSentinel, type FileSentinel } from "../../platform/inputFile";

/**
 * The sentinels of an input that bring something along, in the order they stand. Only arrays and plain objects are
 * searched, so dates, maps and the like keep their place and their type.
 *
 * @throws {TypeError} a blob or a stream stands where only a sentinel can: it would be sent as `{}`
 */
export function findFiles(input: unknown): readonly FileSentinel[] {
  if (typeof input !== "object" || input === null) return none;
  const quick: QuickSearch = { found: [], left: quickVisits };
  return searchQuickly(input, 0, quick) ? quick.found : searchAll(input);
}

const none: readonly FileSentinel[] = /* @__PURE__ */ Object.freeze([]);

/** Nearly every input is small. Larger ones may repeat what they share, or be loops: for those it is remembered. */
const quickVisits = 4096;
const quickDepth = 256;

interface QuickSearch {
  readonly found: FileSentinel[];
  /** Objects that may still be visited. */
  left: number;
}

/** @returns false when it has to be done the other way */
function searchQuickly(value: object, depth: number, search: QuickSearch): boolean {
  if ((search.left -= 1) < 0 || depth > quickDepth) return false;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === "object" && item !== null && !searchQuickly(item as object, depth + 1, search)) return false;
    }
    return true;
  }
  if (!isSearchable(value, search.found)) return true;
  for (const key in value) {
    const field: unknown = value[key];
    if (typeof field === "object" && field !== null && !searchQuickly(field, depth + 1, search)) return false;
  }
  return true;
}

function searchAll(input: object): readonly FileSentinel[] {
  const found: FileSentinel[] = [];
  const seen = new Set<object>();
  const pending: unknown[] = [input];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    // Backwards, since the last one is the next.
    if (Array.isArray(value)) for (let index = value.length - 1; index >= 0; index -= 1) pending.push(value[index]);
    else if (isSearchable(value, found)) pending.push(...Object.values(value).reverse());
  }
  return found;
}

/** Notes a sentinel; what is left is searched if it is plain. */
function isSearchable(value: object, found: FileSentinel[]): value is Record<string, unknown> {
  if (isFileSentinel(value)) {
    if (value._node !== undefined || value._web !== undefined) found.push(value);
    return false;
  }
  if (isPlainObject(value)) return true;
  const { pipe, getReader, arrayBuffer } = value as { pipe?: unknown; getReader?: unknown; arrayBuffer?: unknown };
  for (const method of [pipe, getReader, arrayBuffer]) {
    if (typeof method !== "function") continue;
    throw new TypeError(
      `A ${value.constructor.name} inside an input cannot be sent as it is. Put createFile({ name }, it) there.`,
    );
  }
  return false;
}
