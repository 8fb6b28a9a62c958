import { isErrorHelper, type RunnerError } from "../errors/defineError";
import type { IdOf } from "../lib/idSlot";

/** An error a task or resource says it may throw. */
export type ErrorReference = string | { readonly kind: "error"; readonly id: string };
/** The errors that a definition says it throws. */
export type ThrowsList = readonly ErrorReference[];

/**
 * Carries the listed errors at type level, data by id. All keys are optional, so that tasks stay assignable to each other
 * whatever they throw. Errors whose ids are no literals are left out: they cannot be told apart.
 */
export type ErrorSlot<E> = { readonly "~"?: true } & {
  readonly [Reference in E as Reference extends string ? Literal<Reference> : IdOf<Reference>]?: DataOf<Reference>;
};

type Literal<Id extends string> = string extends Id ? never : Id;
type DataOf<Reference> = Reference extends { create(data: infer Data): unknown } ? Data : unknown;

/**
 * The errors that a task says it throws, to be told apart by `id`; `never` where it says nothing. Those of an id that is no
 * literal, as of `r.error<Data>("id")`, are missing.
 */
export type ErrorsOf<T> = T extends { readonly $throws?: infer Slot } ? ErrorsIn<NonNullable<Slot>> : never;
/** The errors that a slot carries. */
export type ErrorsIn<Slot> = {
  [Id in Exclude<keyof Slot, "~">]-?: RunnerError<Exclude<Slot[Id], undefined>> & { readonly id: Id };
}[Exclude<keyof Slot, "~">];

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
