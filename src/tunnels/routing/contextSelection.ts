import { isAsyncContext, type IAsyncContext } from "../../define/asyncContext";

/** Which async contexts cross; those that are local never do. */
export type ContextSelection = "all" | "none" | readonly (string | IAsyncContext<any>)[];

/** The same by id. */
export type SelectedContexts = "all" | ReadonlySet<string>;

/** What is expected of a selection, for messages. */
export const contextSelectionForm = '"all", "none", or a list of ids and async contexts';

/** Whether a value is a selection. */
export const isContextSelection = (value: unknown): value is ContextSelection =>
  value === "all" ||
  value === "none" ||
  (Array.isArray(value) && value.every((item) => typeof item === "string" || isAsyncContext(item)));

/** The ids of a selection. */
export function selectedContexts(selection: ContextSelection = "all"): SelectedContexts {
  if (selection === "all") return "all";
  return new Set(selection === "none" ? [] : selection.map((item) => (typeof item === "string" ? item : item.id)));
}

/** What two selections have in common. */
export function inBoth(one: SelectedContexts, other: SelectedContexts): SelectedContexts {
  if (one === "all") return other;
  return other === "all" ? one : new Set([...one].filter((id) => other.has(id)));
}

/**
 * The contexts of a selection, for a client.
 *
 * @throws {TypeError} it is no selection, or an id in it is not registered
 */
export function resolveContexts(
  selection: unknown = "all",
  registered: ReadonlyMap<string, IAsyncContext>,
): IAsyncContext[] {
  if (!isContextSelection(selection)) throw new TypeError(`contexts must be ${contextSelectionForm}.`);
  if (selection === "all") return [...registered.values()];
  if (selection === "none") return [];
  return selection.map((item) => {
    const context = typeof item === "string" ? registered.get(item) : item;
    if (context === undefined) throw new TypeError(`contexts names "${String(item)}", which is not registered.`);
    return context;
  });
}
