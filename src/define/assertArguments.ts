import { invalidDefinitionError } from "../errors/bootErrors";
import { isPlainObject } from "../lib/guards";
import { symbolEvent } from "../lib/symbols";
import { hasBrand } from "./brand";

/** How `invalidDefinitionError` names the kinds that are built. */
export type DefinitionLabel = "Task" | "Resource" | "Event" | "Hook" | "Middleware" | "Definition";

/** @throws {invalidDefinitionError} one item was given where a list belongs, or something else altogether */
export function assertList(kind: DefinitionLabel, id: string, field: string, received: unknown): void {
  if (Array.isArray(received)) return;
  const fix = `write .${field}([...]), also for a single one.`;
  throw invalidDefinitionError.create({ kind, id, field, expected: "a list", received, fix });
}

/** @throws {invalidDefinitionError} no function was given */
export function assertFunction(kind: DefinitionLabel, id: string, field: string, received: unknown): void {
  if (typeof received === "function") return;
  const fix = `write .${field}(() => ...).`;
  throw invalidDefinitionError.create({ kind, id, field, expected: "a function", received, fix });
}

/** @throws {invalidDefinitionError} neither a map nor a function was given; lists, Maps and promises have no names to look up */
export function assertDependencies(kind: DefinitionLabel, id: string, received: unknown): void {
  if (typeof received === "function" || isPlainObject(received)) return;
  const expected = "a map of definitions, or a function that gives one";
  const fix = "write .dependencies({ name: definition }).";
  throw invalidDefinitionError.create({ kind, id, field: "dependencies", expected, received, fix });
}

/** @throws {invalidDefinitionError} a hook cannot listen to it; holes in a list are problems of the boot, as everywhere */
export function assertTarget(id: string, received: unknown): void {
  const isTarget = (event: unknown): boolean => hasBrand(event, symbolEvent);
  if (received === "*" || isTarget(received)) return;
  if (Array.isArray(received) && received.every((event) => event === undefined || isTarget(event))) return;
  const expected = 'an event, a list of events, or "*"';
  const fix = "write .on(event).";
  throw invalidDefinitionError.create({ kind: "Hook", id, field: "on", expected, received, fix });
}
