import { isErrorHelper } from "../errors/defineError";

/** An error a task or resource says it may throw. */
export type ErrorReference = string | { readonly kind: "error"; readonly id: string };
export type ThrowsList = readonly ErrorReference[];

/**
 * Ids of the listed errors, each once, in first-seen order.
 *
 * @throws {Error} an entry is neither an id nor an error helper
 */
export function normalizeThrows(
  kind: "task" | "resource",
  id: string,
  list: ThrowsList | undefined,
): readonly string[] | undefined {
  return list && [...new Set(list.map((entry: unknown) => readErrorId(kind, id, entry)))];
}

function readErrorId(kind: "task" | "resource", id: string, entry: unknown): string {
  const errorId: unknown = isErrorHelper(entry) ? entry.id : entry;
  if (typeof errorId === "string" && errorId.trim() !== "") return errorId;
  throw new Error(
    `Invalid throws entry for ${kind} ${id}: expected error id string or Error helper, got ${describe(errorId)}`,
  );
}

function describe(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
