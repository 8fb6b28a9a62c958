import type { Logger } from "../logger";
import { describeValue } from "../../lib/describeValue";
import { symbolFramework } from "../../lib/symbols";
import type { SignalSource } from "./call";
import type { Cells } from "./cells";
import type { EventManager } from "../events/eventManager";
import { type Registration, targetOf } from "../plan/registration";
import { createBoundCaller, createInterceptableCaller, createTaskCaller, type TaskCell } from "./taskCell";

/** What injection draws from. */
export interface InjectionSources {
  readonly cells: Cells;
  readonly eventManager: EventManager;
  readonly logger: Logger;
}

/** The values of a definition's dependencies, by key. Frozen: all calls share the record. */
export function injectDependencies(owner: Registration, sources: InjectionSources): Record<string, unknown> {
  const injected: Record<string, unknown> = {};
  for (const key in owner.dependencies) {
    try {
      injected[key] = injectOne(owner.dependencies[key], owner, sources);
    } catch (error) {
      void sources.logger.error(
        `Failed to extract dependency from source: ${owner.id} -> ${key} with error: ${describeValue(error)}`,
        { source: "dependencyProcessor" },
      );
      throw error;
    }
  }
  return Object.freeze(injected);
}

function injectOne(dependency: unknown, owner: Registration, { cells, eventManager }: InjectionSources): unknown {
  const target = targetOf(dependency);
  if (target === undefined) return undefined;
  const { id } = target;
  switch (target.kind) {
    case "task": {
      const cell = cells.tasks.get(id);
      return cell && (owner.kind === "resource" ? createInterceptableCaller(cell) : createTaskCaller(cell));
    }
    case "resource": {
      const cell = cells.resources.get(id);
      const injectFor = cell?.resource[symbolFramework]?.injectFor;
      return injectFor && cell.resource.init === undefined
        ? injectFor(cell.value as never, owner.id)
        : (cell?.value as unknown);
    }
    case "event": {
      const event = cells.events.get(id)?.event;
      if (event === undefined) return undefined;
      const cell = eventManager.cell(event);
      return (payload: unknown) => cell.linked.emit(payload, owner.id);
    }
    case "error":
      return cells.errors.get(id);
    case "asyncContext":
      return cells.asyncContexts.get(id);
    default:
      return undefined;
  }
}

/**
 * For a call that carries a signal: the same dependencies, with the tasks among them bound to it.
 *
 * @returns `undefined` when the definition depends on no task, so there is nothing to bind
 */
export function createDependencyBinder(
  owner: Registration,
  dependencies: Record<string, unknown>,
  { cells }: InjectionSources,
): ((signal: SignalSource) => object) | undefined {
  let tasks: (readonly [key: string, cell: TaskCell])[] | undefined;
  for (const key in owner.dependencies) {
    const target = targetOf(owner.dependencies[key]);
    const cell = target?.kind === "task" ? cells.tasks.get(target.id) : undefined;
    if (cell !== undefined) (tasks ??= []).push([key, cell]);
  }
  if (tasks === undefined) return undefined;
  const inherit = tasks;
  // A copy, because engines are slow to spread what is frozen; its keys are there, so that filling it adds none.
  const unbound = { ...dependencies };
  return (signal) => {
    const bound = { ...unbound };
    for (const [key, cell] of inherit) bound[key] = createBoundCaller(cell, signal);
    return bound;
  };
}
