import { readFilePath, type FilePath } from "../lib/filePath";
import type { DependencyMap } from "../lib/injectable";
import { isOptionalDependency } from "../lib/injectable";
import { symbolResource, symbolResourceForkedFrom, symbolResourceWithConfig } from "../lib/symbols";
import type { RegisterableItem } from "./attachments";
import { hasBrand } from "./brand";
import { resolveDependencies, type DependencySource } from "./builderLists";

/** What a fork does with the resources its base registers. */
export type ResourceForkRegisterMode = "keep" | "drop" | "deep";

/** How a fork differs from its base, beside the id. */
export interface ResourceForkOptions {
  /**
   * `keep` registers the same children, `drop` none, `deep` a fork of every child resource.
   * Default "keep".
   */
  readonly register?: ResourceForkRegisterMode | undefined;
  /** Names the forked children. Default `${newId}.${id}`. */
  readonly reId?: ((id: string) => string) | undefined;
}

/** Where a fork comes from. */
export interface ResourceForkInfo {
  readonly fromId: string;
  readonly forkedAtFilePath: string;
}

/** A resource, as far as forking looks at it. */
interface Forkable {
  readonly id: string;
  readonly dependencies?: DependencySource | undefined;
  readonly register?: unknown;
}

interface ForkableResource extends Forkable {
  fork(id: string, options?: ResourceForkOptions): ForkableResource;
}

interface ForkableWithConfig {
  readonly resource: ForkableResource;
  readonly config: unknown;
}

const isForkable = (item: unknown): item is ForkableResource => hasBrand(item, symbolResource);
const isForkableWithConfig = (item: unknown): item is ForkableWithConfig => hasBrand(item, symbolResourceWithConfig);

/**
 * The draft of a fork. In deep mode the dependencies of the fork, and of every resource forked with it, point at the
 * forks.
 *
 * @param filePath gives the file that forks, when asked
 */
export function forkDraft<D extends Forkable>(
  base: D,
  newId: string,
  options: ResourceForkOptions = {},
  filePath: FilePath,
): D {
  const { register: mode = "keep", reId = (id: string) => `${newId}.${id}` } = options;
  const draft = { ...base, id: newId, [symbolResourceForkedFrom]: originOf(base, filePath) };
  if (mode === "drop") return { ...draft, register: [] };
  if (mode === "keep") return draft;

  return { ...draft, ...deepChildren(base, createDeepFork(reId, filePath)) };
}

function originOf({ id }: Forkable, filePath: FilePath): ResourceForkInfo {
  return {
    fromId: id,
    get forkedAtFilePath() {
      return readFilePath(filePath);
    },
  };
}

/** One deep fork: every base resource is forked once, however often it occurs. */
interface DeepFork {
  fork(base: ForkableResource): ForkableResource;
  /** The fork of a base that was forked, or is going to be. */
  find(id: string): ForkableResource | undefined;
}

function createDeepFork(reId: (id: string) => string, filePath: FilePath): DeepFork {
  const forks = new Map<string, ForkableResource>();
  const deepFork: DeepFork = {
    find: (id) => forks.get(id),
    fork(base) {
      const known = forks.get(base.id);
      if (known) return known;
      const forked = base.fork(readNewId(reId, base.id), { register: "keep" });
      // Children and dependencies are worked out when a run asks, by then every sibling is known.
      const remapped = remake(forked, {
        ...deepChildren(base, deepFork),
        [symbolResourceForkedFrom]: originOf(base, filePath),
      });
      forks.set(base.id, remapped);
      return remapped;
    },
  };
  return deepFork;
}

/** The register list and dependencies of a fork; both lazy, since they may depend on the config. */
function deepChildren(base: Forkable, deepFork: DeepFork): Pick<Forkable, "register" | "dependencies"> {
  const { register, dependencies } = base;
  const children = (config: never): RegisterableItem[] =>
    listOf(typeof register === "function" ? (register as (config: never) => unknown)(config) : register).flatMap(
      (item) => forkItem(item, deepFork),
    );
  return {
    register: typeof register === "function" ? children : children(undefined as never),
    dependencies: dependencies && ((config: never) => remapDependencies(resolveDependencies(base, config), deepFork)),
  };
}

function forkItem(item: unknown, deepFork: DeepFork): RegisterableItem[] {
  if (isForkable(item)) return [deepFork.fork(item) as unknown as RegisterableItem];
  if (!isForkableWithConfig(item)) return [];
  const { resource, config } = item;
  const forked = deepFork.fork(resource);
  return [{ ...item, id: forked.id, resource: forked, config } as unknown as RegisterableItem];
}

function remapDependencies(map: DependencyMap, deepFork: DeepFork): DependencyMap {
  const remapped = Object.entries(map).map(([key, dependency]) => {
    const target: unknown = isOptionalDependency(dependency) ? dependency.inner : dependency;
    const forked = isForkable(target) ? deepFork.find(target.id) : undefined;
    if (!forked) return [key, dependency] as const;
    return [key, isOptionalDependency(dependency) ? { ...dependency, inner: forked } : forked] as const;
  });
  return Object.fromEntries(remapped) as DependencyMap;
}

/** A copy of a frozen definition with some fields replaced; its methods follow `this`. */
function remake(definition: ForkableResource, patch: object): ForkableResource {
  const descriptors = { ...Object.getOwnPropertyDescriptors(definition), ...Object.getOwnPropertyDescriptors(patch) };
  return Object.freeze(Object.create(Object.prototype, descriptors) as ForkableResource);
}

function listOf(items: unknown): unknown[] {
  if (items === null || items === undefined) return [];
  return Array.isArray(items) ? items : [items];
}

function readNewId(reId: (id: string) => string, id: string): string {
  const newId: unknown = reId(id);
  if (typeof newId === "string" && newId !== "") return newId;
  throw new Error(`fork(reId) must return a non-empty string for "${id}"`);
}
