import { describeGiven } from "../../lib/describeValue";

/**
 * The id of what was asked for, by definition or by id.
 *
 * @param asked the function that was called, and what it takes: `runTask takes a task`
 * @throws {TypeError} it has none
 */
export function idOf(target: unknown, asked: string): string {
  const id = typeof target === "string" ? target : (target as { readonly id?: unknown } | null | undefined)?.id;
  if (typeof id === "string") return id;
  const hint = target === undefined ? ": usually a circular import, or a name its module does not export" : "";
  throw new TypeError(`${asked} or its id, got ${describeGiven(target)}${hint}.`);
}
