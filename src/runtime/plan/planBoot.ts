import { takesItems } from "../../define/itemInput";
import {
  circularDependenciesError,
  dependencyNotFoundError,
  eventNotFoundError,
  middlewareNotRegisteredError,
  middlewareRefusesStreamError,
  tagNotFoundError,
  unknownItemTypeError,
} from "../../errors/bootErrors";
import { findCycles, visitDependencyFirst, type EdgesOf } from "../../lib/graph";
import { isOptionalDependency } from "../../lib/injectable";
import { symbolFramework } from "../../lib/symbols";
import { createEdges, selectAttachments, type AttachmentsOf } from "./dependencyGraph";
import type { Problems } from "./problems";
import {
  registrationPath,
  registrationsOf,
  type Registration,
  type Registrations,
  type ResourceRegistration,
  targetOf,
} from "./registration";
import { selectLayers, type LayerSelection } from "./selectLayers";

/** Everything that is decided before the first effect. */
export interface BootPlan {
  readonly registrations: Registrations;
  readonly root: ResourceRegistration;
  readonly layers: LayerSelection;
  readonly attachmentsOf: AttachmentsOf;
  /** What must be there before a definition. */
  readonly edges: EdgesOf;
  /** Ids of tasks, resources, hooks and middleware, each after everything it needs; the root's is the last resource. */
  readonly order: readonly string[];
}

/** Resources that initialise before all others, together with what they need. */
export type InitFirst = (registration: ResourceRegistration) => boolean;

/**
 * Checks what the registrations need and orders them, dependency-first. Pure: nothing initialises here.
 *
 * Reports `unknownItemTypeError`, `dependencyNotFoundError`, `eventNotFoundError` and `circularDependenciesError`; the
 * plan is only of use when nothing was reported.
 */
export function planBoot(
  registrations: Registrations,
  rootId: string,
  initFirst: InitFirst,
  problems: Problems,
): BootPlan {
  checkDependencies(registrations, problems);
  const layers = selectLayers(registrations);
  checkStreams(registrations, layers, problems);
  const attachmentsOf = selectAttachments(registrations, layers);
  const edges = createEdges(registrations, attachmentsOf);
  const { order, loops } = orderBoot(registrations, rootId, initFirst, edges);
  if (loops) {
    const cycles = findCycles(registrations.keys(), edges).map((cycle) => cycle.join(" -> "));
    problems.add(circularDependenciesError.create({ cycles }));
  }
  return {
    registrations,
    root: registrations.get(rootId) as ResourceRegistration,
    layers,
    attachmentsOf,
    edges,
    order,
  };
}

/**
 * The passes of a boot: resources that initialise first, resource middleware, task middleware, hooks, what resources
 * need, tasks, remaining resources, the root. Within a pass in container order.
 */
function orderBoot(
  registrations: Registrations,
  rootId: string,
  initFirst: InitFirst,
  edges: EdgesOf,
): { readonly order: readonly string[]; readonly loops: boolean } {
  const visited = new Map<string, boolean>();
  const order: string[] = [];
  const append = (id: string): void => void order.push(id);
  let loops = false;
  const visit = (id: string): void => {
    if (visitDependencyFirst(id, edges, visited, append)) loops = true;
  };
  const visitAll = (kind: Registration["kind"]): void => {
    registrationsOf(registrations, kind).forEach(({ id }) => visit(id));
  };

  const resources = registrationsOf(registrations, "resource");
  for (const { id } of resources.filter(initFirst)) visit(id);
  visitAll("resourceMiddleware");
  visitAll("taskMiddleware");
  visitAll("hook");
  resources.forEach(({ id }) => edges(id).forEach(visit));
  visitAll("task");
  resources.forEach(({ id }) => {
    if (id !== rootId) visit(id);
  });
  visit(rootId);
  return { order, loops };
}

/**
 * Every tag and middleware in use must be registered. Reports `tagNotFoundError` and `middlewareNotRegisteredError`.
 *
 * @throws the first problem, when a list has a hole that later stages would fall into
 */
export function checkAttachments(registrations: Registrations, problems: Problems): void {
  const missingTags = new Set<string>();
  let hasHoles = false;
  const isHole = (item: unknown, owner: string, list: "tags" | "middleware"): boolean => {
    const target = targetOf(item);
    if (list === "tags" ? target?.kind === "tag" : target?.kind !== undefined) return false;
    problems.add(unknownItemTypeError.create({ item, owner, list }));
    hasHoles = true;
    return true;
  };
  registrations.forEach(({ kind, definition, id }) => {
    if ("tags" in definition && definition.tags && definition.tags.length > 0) {
      for (const tag of definition.tags) {
        if (isHole(tag, id, "tags") || registrations.get(tag.id)?.kind === "tag" || missingTags.has(tag.id)) continue;
        missingTags.add(tag.id);
        problems.add(tagNotFoundError.create({ id: tag.id, usedBy: id }));
      }
    }
    if ((kind === "task" || kind === "resource") && definition.middleware.length > 0) {
      for (const middleware of definition.middleware) {
        if (isHole(middleware, id, "middleware")) continue;
        if (registrations.get(middleware.id)?.kind === `${kind}Middleware`) continue;
        const isOfKind = middleware.kind === `${kind}Middleware`;
        const facts = { type: kind, source: id, middlewareId: middleware.id };
        problems.add(middlewareNotRegisteredError.create(isOfKind ? facts : { ...facts, given: middleware.kind }));
      }
    }
  });
  if (hasHoles) problems.throwIfAny();
}

/** Reports `middlewareRefusesStreamError`. */
function checkStreams(registrations: Registrations, layers: LayerSelection, problems: Problems): void {
  registrationsOf(registrations, "task").forEach(({ id: taskId, definition }) => {
    const isStreamed = definition.streams === true;
    const hasItems = takesItems(definition);
    if (!isStreamed && !hasItems) return;
    for (const { middlewareId } of layers.forTask(definition)) {
      const { [symbolFramework]: framework } = (registrations.get(middlewareId)?.definition ?? {}) as {
        readonly [symbolFramework]?: { readonly refusesStreams?: boolean; readonly refusesItems?: boolean };
      };
      if (framework?.refusesStreams || (hasItems && framework?.refusesItems))
        problems.add(
          middlewareRefusesStreamError.create({ taskId, middlewareId, ...(!isStreamed && { what: "takes items" }) }),
        );
    }
  });
}

const kindKeys: Partial<Record<string, string>> = {
  task: "Task",
  resource: "Resource",
  error: "Error",
  asyncContext: "AsyncContext",
  event: "Event",
};

function checkDependencies(registrations: Registrations, problems: Problems): void {
  for (const registration of registrations.values()) {
    if (registration.kind === "hook")
      checkListenedEvents(registration.definition.on, registration.id, registrations, problems);
    for (const key in registration.dependencies) {
      checkDependency(registration, key, registrations, problems);
    }
  }
}

function checkDependency(owner: Registration, key: string, registrations: Registrations, problems: Problems): void {
  const dependency = owner.dependencies[key];
  const target = targetOf(dependency);
  const name = target && kindKeys[target.kind ?? ""];
  if (target === undefined || name === undefined) {
    problems.add(unknownItemTypeError.create({ item: dependency, owner: owner.id, key }));
    return;
  }
  if (registrations.get(target.id)?.kind === target.kind || isOptionalDependency(dependency)) return;
  problems.add(
    dependencyNotFoundError.create({
      key: `${name} ${target.id}`,
      id: target.id,
      neededBy: owner.id,
      dependencyKey: key,
      registrationPath: registrationPath(owner.id, registrations),
    }),
  );
}

function checkListenedEvents(on: unknown, hookId: string, registrations: Registrations, problems: Problems): void {
  if (on === "*" || on === undefined) return;
  for (const event of Array.isArray(on) ? (on as unknown[]) : [on]) {
    const id = targetOf(event)?.id;
    if (id !== undefined && registrations.get(id)?.kind === "event") continue;
    problems.add(
      id === undefined
        ? unknownItemTypeError.create({ item: event, owner: hookId, key: "on" })
        : eventNotFoundError.create({ id, neededBy: hookId }),
    );
  }
}
