import { duplicateRegistrationError, unknownItemTypeError, type RegisteredKind } from "../errors/bootErrors";
import { isErrorHelper } from "../errors/defineError";
import { resolveDependencies } from "../define/builderLists";
import { isAsyncContext } from "../define/asyncContext";
import { isEvent } from "../define/event";
import { isHook } from "../define/hook";
import { isResourceMiddleware, isTaskMiddleware } from "../define/middleware";
import { isResource, isResourceWithConfig, resolveRegister, type FrameworkPreset, type IResource } from "../define/resource";
import { isTag } from "../define/tag";
import { isTask } from "../define/task";
import type { RegisterableItems } from "../define/attachments";
import { isOptionalDependency, type DependencyMap } from "../lib/injectable";
import { symbolFramework } from "../lib/symbols";
import type { Problems } from "./problems";
import type { Registration, Registrations } from "./registration";

/** A registration whose dependencies are still to be resolved. */
type Pending = Registration extends infer Each ? (Each extends Registration ? Omit<Each, "dependencies"> : never) : never;

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
 * something refers to them, so nobody has to register the framework.
 */
export function collect(root: RegisterableItems, builtins: readonly RegisterableItems[], problems: Problems): Registrations {
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

/** Adds what an override brings along, under the overriding resource. */
export function collectChildren(
  children: readonly RegisterableItems[],
  owner: string,
  known: Registrations,
  problems: Problems,
): Registrations {
  const found = new Map<string, Pending>();
  for (const child of children) {
    if (!known.has(child.id)) collectTree(child, owner, found, problems);
  }
  return resolveAll(found, problems, known);
}

/** Dependencies of one registration, function forms resolved with its config. */
export function dependenciesOf(pending: Pending): DependencyMap {
  switch (pending.kind) {
    case "task":
    case "hook":
      return resolveDependencies(pending.definition.dependencies, undefined);
    case "resource":
    case "taskMiddleware":
    case "resourceMiddleware":
      return resolveDependencies(pending.definition.dependencies, pending.config);
    case "event":
    case "tag":
    case "error":
    case "asyncContext":
      return noDependencies;
  }
}

const noDependencies: DependencyMap = {};

/** One item with everything below it, depth-first; iterative, since trees may be deep. */
function collectTree(top: unknown, topOwner: string | undefined, found: Map<string, Pending>, problems: Problems): void {
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
      const owners = [existing.owner, owner].filter((id) => id !== undefined);
      problems.add(
        duplicateRegistrationError.create({ type: kindNames[existing.kind], id: pending.id, ...(owners.length > 0 && { owners }) }),
      );
      continue;
    }
    found.set(pending.id, pending);
    if (pending.kind !== "resource") continue;
    const children = resolveRegister(pending.definition.register, pending.config);
    for (let index = children.length - 1; index >= 0; index--) stack.push({ item: children[index], owner: pending.id });
  }
}

/** What kind of definition an item is; `undefined` when it is none. */
function readItem(item: unknown, owner: string | undefined): Pending | undefined {
  if (isResourceWithConfig(item)) return resourceOf(item.resource, item.config, owner);
  if (isResource(item)) return resourceOf(item, {}, owner);
  const kind = readKind(item);
  if (kind === undefined) return undefined;
  const definition = item as { readonly id: string; readonly config?: unknown };
  return { kind, id: definition.id, definition, config: definition.config ?? {}, owner } as Pending;
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
  return { kind: "resource", id: definition.id, definition, config, owner, preset: presetOf(definition) };
}

/** An `init`, as an override may bring one, takes the place of the framework's value. */
export function presetOf(definition: IResource<any, any>): FrameworkPreset["value"] {
  return definition.init === undefined ? definition[symbolFramework]?.value : undefined;
}

/** Resolves dependencies and adds framework definitions that are only referred to. */
function resolveAll(found: Map<string, Pending>, problems: Problems, known?: Registrations): Map<string, Registration> {
  const resolved = new Map<string, Registration>();
  const referred = new Map<string, Registration>();
  const resolve = (pending: Pending, into: Map<string, Registration>): void => {
    const registration = { ...pending, dependencies: dependenciesOf(pending) } as Registration;
    into.set(registration.id, registration);
    for (const target of frameworkReferences(registration)) {
      if (found.has(target.id) || referred.has(target.id) || known?.has(target.id)) continue;
      const added = new Map<string, Pending>();
      collectTree(target, undefined, added, problems);
      // Claimed before it is resolved, since framework definitions may refer to each other.
      for (const each of added.values()) referred.set(each.id, each as Registration);
      for (const each of added.values()) resolve(each, referred);
    }
  };
  for (const pending of found.values()) resolve(pending, resolved);
  return new Map([...referred, ...resolved]);
}

function frameworkReferences({ definition, dependencies }: Registration): { readonly id: string }[] {
  const targets: unknown[] = Object.values(dependencies).map((dependency) =>
    isOptionalDependency(dependency) ? dependency.inner : dependency,
  );
  if ("middleware" in definition) targets.push(...definition.middleware);
  return targets.filter(
    (target): target is { readonly id: string } => typeof target === "object" && target !== null && symbolFramework in target,
  );
}
