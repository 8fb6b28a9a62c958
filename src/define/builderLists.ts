import type { DependencyMap } from "../lib/injectable";
import { noEntries } from "../lib/nothing";

/** How the list methods of the builders treat what was there before. */
export interface ReplaceOption {
  /** Replace instead of append. Default false. */
  override?: boolean | undefined;
}

/** Dependencies as written: a map, or a function of the config giving one. */
export type DependencySource = DependencyMap | ((config: never) => DependencyMap);

/** Dependencies as a finished definition shows them; which definitions they are is not part of its type. */
export type ListedDependencies = Record<string, any> | ((config?: any) => Record<string, any>); // see above

/** A copy of `added`, after what was there unless `override` is set. */
export function appendTo<T>(existing: readonly T[] | undefined, added: readonly T[], option?: ReplaceOption): T[] {
  return option?.override === true || existing === undefined ? [...added] : [...existing, ...added];
}

/** Later keys win; the result is a function as soon as one side is. */
export function mergeDependencies(
  existing: DependencySource | undefined,
  added: DependencySource,
  option?: ReplaceOption,
): DependencySource {
  if (option?.override === true || existing === undefined) return added;
  if (typeof existing !== "function" && typeof added !== "function") return { ...existing, ...added };
  return (config: never) => ({ ...resolveDependencies(existing, config), ...resolveDependencies(added, config) });
}

/** The map behind either form. */
export function resolveDependencies(source: DependencySource | undefined, config: unknown): DependencyMap {
  return (typeof source === "function" ? source(config as never) : source) ?? noEntries;
}
