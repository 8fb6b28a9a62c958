import { isPlainObject } from "../../lib/guards";
import { streamKindOf } from "../../lib/streamKind";
import { isFileSentinel, type FileSentinel } from "../../platform/inputFile";

/**
 * The sentinels of an input that bring something along, in the order they stand. Only arrays and plain objects are
 * searched, so dates, maps and the like keep their place and their type.
 *
 * @param name what the input is called in an error
 * @throws {TypeError} a blob or a stream stands where only a sentinel can: it would be sent as `{}`
 */
export function findFiles(input: unknown, name = "input"): readonly FileSentinel[] {
  if (typeof input !== "object" || input === null) return none;
  const refuse = (value: object): never => {
    throw new TypeError(
      `A ${value.constructor.name} inside an input cannot be sent as it is. Put createFile({ name }, it) there.\n` +
        `  at ${pathTo(value, input, name, new Set())}`,
    );
  };
  const quick: Search = { found: [], left: quickVisits, seen: undefined, refuse };
  if (search(input, 0, quick)) return quick.found;
  // A large input may repeat what it shares, or be a loop.
  const thorough: Search = { found: [], left: Infinity, seen: new Set(), refuse };
  search(input, 0, thorough);
  return thorough.found;
}

const none: readonly FileSentinel[] = /* @__PURE__ */ Object.freeze([]);

/** Nearly every input is smaller, and remembering what was seen costs more than the rest of the search. */
const quickVisits = 4096;
/** Beyond what serializers write by default. */
const deepest = 2000;
/** No serializer writes more, and refuses it at once: most of such a list are holes. */
const longestList = 10_000_000;

interface Search {
  readonly found: FileSentinel[];
  /** Objects that may still be visited. */
  left: number;
  readonly seen: Set<object> | undefined;
  readonly refuse: (value: object) => never;
}

/** @returns false when it visited too many objects */
function search(value: object, depth: number, run: Search): boolean {
  if ((run.left -= 1) < 0) return false;
  if (depth > deepest || run.seen?.has(value) === true) return true;
  run.seen?.add(value);
  if (Array.isArray(value)) {
    if (value.length > longestList) return true;
    for (const item of value) {
      if (typeof item === "object" && item !== null && !search(item as object, depth + 1, run)) return false;
    }
  } else if (isSearchable(value, run)) {
    for (const key in value) {
      const field: unknown = value[key];
      if (typeof field === "object" && field !== null && !search(field, depth + 1, run)) return false;
    }
  }
  return true;
}

/** Notes a sentinel; what is left is searched if it is plain. */
function isSearchable(value: object, { found, refuse }: Search): value is Record<string, unknown> {
  if (isFileSentinel(value)) {
    if (value._node !== undefined || value._web !== undefined) found.push(value);
    return false;
  }
  if (isPlainObject(value)) return true;
  const { arrayBuffer } = value as { arrayBuffer?: unknown };
  if (streamKindOf(value) !== undefined || typeof arrayBuffer === "function") refuse(value);
  return false;
}

/** Where a value stands, as `input.items[3]`. Asked for when it was found to be refused, so that the search need not know. */
function pathTo(wanted: object, value: unknown, path: string, seen: Set<object>): string | undefined {
  if (value === wanted) return path;
  if (typeof value !== "object" || value === null || seen.has(value)) return undefined;
  seen.add(value);
  if (!Array.isArray(value) && !isPlainObject(value)) return undefined;
  for (const [key, field] of Object.entries(value)) {
    const step = Array.isArray(value) ? `[${key}]` : `.${key}`;
    const found = pathTo(wanted, field, path + step, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}
