import { nearestName } from "../../lib/nearestName";

/** What asking a run for an id that is not registered fails with; names the one that was probably meant. */
export function notFound(kind: "Task" | "Event" | "Resource", id: string, known: Iterable<string>): Error {
  const nearest = nearestName(id, known);
  const fix = nearest === undefined ? "" : `\n  fix: did you mean "${nearest}"?`;
  return new Error(`${kind} "${id}" not found.${fix}`);
}
