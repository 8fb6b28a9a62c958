import { isResource, isResourceWithConfig } from "../../../define/resource";
import type { RegisterableItems } from "../../../define/resource";
import { collect } from "../../../runtime/plan/collect";
import { createProblems } from "../../../runtime/plan/problems";
import type { RunOptions } from "../../../runtime/run/options";

/** A resource that an entry runs, or could run. */
export interface FoundRoot {
  readonly root: RegisterableItems;
  /** How it was found: `run(...)`, or the name of an export. */
  readonly from: string;
  /** What `run` was given with it. */
  readonly options?: RunOptions;
}

export interface RootChoice {
  readonly roots: readonly FoundRoot[];
  /** Why there is none, in a sentence that says what to do. */
  readonly refusal?: string;
}

/** A program runs one application, a test file a few. */
const maxRoots = 10;

export const isRoot = (value: unknown): value is RegisterableItems => isResource(value) || isResourceWithConfig(value);

/**
 * The roots of an entry: the export that was named, else what the entry gave to `run`, else the one exported resource
 * that no other exported resource registers.
 */
export function chooseRoots(
  given: readonly FoundRoot[],
  exports: Readonly<Record<string, unknown>>,
  exportName?: string,
): RootChoice {
  const exported = findExported(exports);
  if (exportName !== undefined) {
    const named = exported.find(({ from }) => from === exportName);
    if (named !== undefined) return { roots: [named] };
    return {
      roots: [],
      refusal: `The entry has no resource under the name "${exportName}"; ${describeExports(exported)}.`,
    };
  }
  if (given.length > 0) return { roots: uniqueRoots(given).slice(0, maxRoots) };
  const tops = withoutRegistered(uniqueRoots(exported));
  if (tops.length === 1) return { roots: tops };
  if (tops.length === 0) {
    const refusal =
      "The entry neither calls run(...) while it loads nor exports a resource: name the file that does, or export the root.";
    return { roots: [], refusal };
  }
  const refusal = `The entry exports several resources that could be the root; say which one with --export; ${describeExports(tops)}.`;
  return { roots: [], refusal };
}

/** Of ES modules, and of CommonJS modules whose exports are their default. */
function findExported(exports: Readonly<Record<string, unknown>>): FoundRoot[] {
  const found: FoundRoot[] = [];
  const add = (from: string, value: unknown): void => {
    if (isRoot(value) && !found.some((each) => each.from === from)) found.push({ root: value, from });
  };
  for (const [name, value] of Object.entries(exports)) {
    add(name, value);
    if (name !== "default" || isRoot(value) || typeof value !== "object" || value === null) continue;
    for (const [inner, nested] of Object.entries(value)) add(inner, nested);
  }
  return found;
}

const uniqueRoots = (found: readonly FoundRoot[]): FoundRoot[] =>
  [...new Map(found.toReversed().map((each) => [each.root, each])).values()].toReversed();

/** Drops resources that another one registers, at any depth. */
function withoutRegistered(found: readonly FoundRoot[]): FoundRoot[] {
  const below = new Set<string>();
  for (const { root } of found) {
    for (const id of collect(root, [], createProblems()).keys()) if (id !== root.id) below.add(id);
  }
  return found.filter(({ root }) => !below.has(root.id));
}

const describeExports = (found: readonly FoundRoot[]): string =>
  found.length === 0
    ? "it exports no resource"
    : `it exports ${found.map(({ from, root }) => `${from} ("${root.id}")`).join(", ")}`;
