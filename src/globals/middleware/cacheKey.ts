import { isPlainObject } from "../../lib/guards";
import type { SerializerLike } from "../../serializer/codec";

/**
 * A key for the input of a task: its JSON as in 5.x where that tells all of the input, else what the serializer writes, so
 * that dates, maps and sets with different contents have different keys.
 *
 * @throws {TypeError} the input cannot be written
 */
export function cacheKeyOf(taskId: string, input: unknown, serializer: SerializerLike): string {
  if (isJson(input, 0)) return `${taskId}-${JSON.stringify(input)}`;
  try {
    return `${taskId}-~${serializer.stringify(input)}`;
  } catch (cause) {
    throw new TypeError(
      `The cache cannot tell the inputs of task "${taskId}" apart.\n  fix: give it a key: cache.with({ keyBuilder: (taskId, input) => ... }).`,
      { cause },
    );
  }
}

/** Whether JSON keeps all of a value. Fields that are `undefined` count as absent. */
function isJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    case "undefined":
      return depth === 0;
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth === maxDepth) return false;
  if (Array.isArray(value))
    return Object.keys(value).length === value.length && value.every((each) => isJson(each, depth + 1));
  if (!isPlainObject(value) || typeof value["toJSON"] === "function") return false;
  return Object.values(value).every((each) => each === undefined || isJson(each, depth + 1));
}

/** What is nested deeper is left to the serializer, which has limits. */
const maxDepth = 50;
