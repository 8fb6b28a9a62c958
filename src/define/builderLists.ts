import type { DependencyMap } from "../lib/injectable";
import { noEntries } from "../lib/nothing";
import { assertDependencies } from "./assertArguments";

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

/** Something that has dependencies. */
interface Dependent {
  readonly id: string;
  readonly dependencies?: DependencySource | undefined;
}

/** Later keys win; the result is a function as soon as one side is. */
export function mergeDependencies(draft: Dependent, added: DependencySource, option?: ReplaceOption): DependencySource {
  const existing = draft.dependencies;
  if (option?.override === true || existing === undefined) return added;
  if (typeof existing !== "function" && typeof added !== "function") return { ...existing, ...added };
  return (config: never) => ({
    ...resolveDependencies(draft, config),
    ...resolveDependencies({ ...draft, dependencies: added }, config),
  });
}

/**
 * The map behind either form.
 *
 * @throws {invalidDefinitionError} a function gives none, as an asynchronous one: nothing would be injected
 */
export function resolveDependencies({ id, dependencies = noEntries }: Dependent, config: unknown): DependencyMap {
  if (typeof dependencies !== "function") return dependencies;
  const map = dependencies(config as never);
  assertDependencies("Definition", id, map);
  return map;
}
