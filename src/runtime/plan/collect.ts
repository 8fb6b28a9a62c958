import { noEntries, noItems } from "../../lib/nothing";
import { duplicateRegistrationError, unknownItemTypeError, type RegisteredKind } from "../../errors/bootErrors";
import { isErrorHelper } from "../../errors/defineError";
import { resolveDependencies } from "../../define/builderLists";
import { isAsyncContext } from "../../define/asyncContext";
import { isEvent } from "../../define/event";
import { isHook } from "../../define/hook";
import { isResourceMiddleware, isTaskMiddleware } from "../../define/middleware";
import { resolveRegister } from "../../define/createResource";
import { isResource, isResourceWithConfig, type FrameworkPreset, type IResource } from "../../define/resource";
import { isTag } from "../../define/tag";
import { isTask } from "../../define/task";
import type { RegisterableItems } from "../../define/resource";
import { isOptionalDependency, type DependencyMap } from "../../lib/injectable";
import { symbolFramework } from "../../lib/symbols";
import type { Problems } from "./problems";
import type { Registration, Registrations } from "./registration";

/** A registration whose dependencies are still to be resolved; they are filled in place, once all ids are known. */
type Pending = Registration extends infer Each
  ? Each extends Registration
    ? Mutable<Each, "dependencies" | "children">
    : never
  : never;
type Mutable<T, K> = Omit<T, K & keyof T> & { -readonly [Key in K & keyof T]: T[Key] };

const kindNames: Record<Registration["kind"], RegisteredKind> = {
  task: "Task",
  resource: "Resource",
  event: "Event",
  error: "Error",
  asyncContext: "AsyncContext",
  taskMiddleware: "Middleware",
  resourceMiddleware: "Middleware",
  tag: "Tag",
  hook: "Hook",
};

/**
 * Flattens the registration tree: built-ins first, then depth-first as registered, the root last.
 *
 * Dynamic `.register(config => [...])` is expanded here. Children that a framework definition stands for are added when
 * something refers to them, so the framework need not be registered.
 */
export function collect(
  root: RegisterableItems,
  builtins: readonly RegisterableItems[],
  problems: Problems,
): Registrations {
  const found = new Map<string, Pending>();
  for (const builtin of builtins) collectTree(builtin, undefined, found, problems);
  collectTree(root, undefined, found, problems);
  const rootPending = found.get(root.id);
  if (rootPending !== undefined) {
    found.delete(root.id);
    found.set(root.id, rootPending);
  }
  return resolveAll(found, problems);
}

/** What an override brings along: children of its own, and framework definitions that it refers to. */
export function collectBrought(override: Registration, known: Registrations, problems: Problems): Registrations {
  const found = new Map<string, Pending>();
  const children = override.kind === "resource" ? override.children : [];
  for (const child of children as readonly unknown[]) {
    // An override inherits the children of its base, which are registered already.
    if (!known.has((child as { readonly id: string } | undefined)?.id ?? "")) {
      collectTree(child, override.id, found, problems);
    }
  }
  for (const { id, owner } of found.values()) {
    const existing = known.get(id);
    if (existing !== undefined && found.delete(id)) problems.add(duplicateOf(existing, owner));
  }
  return resolveAll(found, problems, { override, known });
}

/** Dependencies of one registration, function forms resolved with its config. */
export function dependenciesOf(pending: Pending): DependencyMap {
  switch (pending.kind) {
    case "task":
    case "hook":
      return resolveDependencies(pending.definition, undefined);
    case "resource":
    case "taskMiddleware":
    case "resourceMiddleware":
      return resolveDependencies(pending.definition, pending.config);
    case "event":
    case "tag":
    case "error":
    case "asyncContext":
      return noEntries;
  }
}

/** One item with everything below it, depth-first; iterative, since trees may be deep. */
function collectTree(
  top: unknown,
  topOwner: string | undefined,
  found: Map<string, Pending>,
  problems: Problems,
): void {
  const stack: { readonly item: unknown; readonly owner: string | undefined }[] = [{ item: top, owner: topOwner }];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { item, owner } = next;
    const pending = readItem(item, owner);
    if (pending === undefined) {
      problems.add(unknownItemTypeError.create(owner === undefined ? { item } : { item, owner }));
      continue;
    }
    const existing = found.get(pending.id);
    if (existing !== undefined) {
      problems.add(duplicateOf(existing, owner));
      continue;
    }
    found.set(pending.id, pending);
    if (pending.kind !== "resource") continue;
    const { register } = pending.definition;
    if ((register as unknown) === noItems) continue;
    const children = resolveRegister(register, pending.config);
    pending.children = children;
    for (let index = children.length - 1; index >= 0; index--) stack.push({ item: children[index], owner: pending.id });
  }
}

function duplicateOf(existing: Pending, owner: string | undefined): Error {
  const owners = [existing.owner, owner].filter((id) => id !== undefined);
  const type = kindNames[existing.kind];
  return duplicateRegistrationError.create({ type, id: existing.id, ...(owners.length > 0 && { owners }) });
}

/** What kind of definition an item is; `undefined` when it is none. */
function readItem(item: unknown, owner: string | undefined): Pending | undefined {
  if (isResourceWithConfig(item)) return resourceOf(item.resource, item.config, owner);
  if (isResource(item)) return resourceOf(item, {}, owner);
  const kind = readKind(item);
  if (kind === undefined) return undefined;
  const definition = item as { readonly id: string; readonly config?: unknown };
  const { id, config = {} } = definition;
  const dependencies: DependencyMap = noEntries;
  return { kind, id, definition, config, owner, dependencies } as Pending;
}

function readKind(item: unknown): Registration["kind"] | undefined {
  if (isTask(item)) return "task";
  if (isEvent(item)) return "event";
  if (isHook(item)) return "hook";
  if (isTaskMiddleware(item)) return "taskMiddleware";
  if (isResourceMiddleware(item)) return "resourceMiddleware";
  if (isTag(item)) return "tag";
  if (isErrorHelper(item)) return "error";
  if (isAsyncContext(item)) return "asyncContext";
  return undefined;
}

function resourceOf(definition: IResource<any, any>, config: unknown, owner: string | undefined): Pending {
  const preset = presetOf(definition);
  const { id } = definition;
  return {
    kind: "resource",
    id,
    definition,
    config,
    owner,
    preset,
    dependencies: noEntries,
    children: noItems,
  };
}

/** An `init`, as an override may bring one, takes the place of the framework's value. */
export function presetOf(definition: IResource<any, any>): FrameworkPreset["value"] {
  return definition.init === undefined ? definition[symbolFramework]?.value : undefined;
}

/** Resolves dependencies and adds framework definitions that are only referred to, in front of what refers to them. */
function resolveAll(
  found: Map<string, Pending>,
  problems: Problems,
  into?: { readonly override: Registration; readonly known: Registrations },
): Registrations {
  const referred = new Map<string, Pending>();
  const resolve = (pending: Pending): void => {
    pending.dependencies = dependenciesOf(pending);
    addReferences(pending);
  };
  const addReferences = (pending: Pending): void => {
    for (const target of frameworkReferences(pending)) {
      if (found.has(target.id) || referred.has(target.id) || into?.known.has(target.id)) continue;
      const added = new Map<string, Pending>();
      collectTree(target, undefined, added, problems);
      // Claimed before they are resolved, since framework definitions may refer to each other.
      for (const each of added.values()) referred.set(each.id, each);
      for (const each of added.values()) resolve(each);
    }
  };
  if (into !== undefined) addReferences(into.override);
  found.forEach(resolve);
  return referred.size === 0 ? found : new Map([...referred, ...found]);
}

function frameworkReferences({ definition, dependencies }: Registration): readonly FrameworkReference[] {
  let references: FrameworkReference[] | undefined;
  for (const key in dependencies) {
    const dependency = dependencies[key];
    const target = isOptionalDependency(dependency) ? dependency.inner : dependency;
    if (isOfFramework(target)) (references ??= []).push(target);
  }
  if ("middleware" in definition && definition.middleware.length > 0) {
    for (const each of definition.middleware) if (isOfFramework(each)) (references ??= []).push(each);
  }
  // What an override replaces has to be there.
  if ("overrides" in definition && definition.overrides.length > 0) {
    for (const override of definition.overrides) {
      const target = isResourceWithConfig(override) ? override.resource : override;
      if (isOfFramework(target)) (references ??= []).push(target);
    }
  }
  return references ?? noItems;
}

interface FrameworkReference {
  readonly id: string;
}

const isOfFramework = (target: unknown): target is FrameworkReference =>
  typeof target === "object" && target !== null && symbolFramework in target;
