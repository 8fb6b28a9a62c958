import { describeValue, tagOf } from "../lib/describeValue";

/** Gives anything that was thrown the shape of an error; errors of other realms pass as they are. */
export function normalizeError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(describeValue(thrown));
}

/** `instanceof` first, the built-in tag for errors of other realms; the reason of a bare abort is a `DOMException`. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || errorTags.has(tagOf(value));
  } catch {
    return false;
  }
}

const errorTags: ReadonlySet<string> = /* @__PURE__ */ new Set(["[object Error]", "[object DOMException]"]);
