import { noEntries } from "../../lib/nothing";
import { runDisposedError } from "../../errors/runErrors";
import type { CallScope } from "../callScope";
import type { Logger } from "../logger";
import type { RunState } from "../runState";
import { callFacts } from "../../lib/callFacts";
import { describeValue } from "../../lib/describeValue";
import { hasNoKeys } from "../../lib/guards";
import { symbolFramework } from "../../lib/symbols";
import type { Cells } from "./cells";
import type { EventManager } from "../events/eventManager";
import { type Registration, targetOf } from "../plan/registration";
import { createBoundCaller, createInterceptableCaller, createTaskCaller } from "./taskCallers";
import type { BindDependencies } from "./taskStep";

/** What injection draws from. */
export interface InjectionSources {
  readonly state: RunState;
  readonly cells: Cells;
  readonly eventManager: EventManager;
  readonly logger: Logger;
}

/** The values of a definition's dependencies, by key. Frozen: all calls share the record. */
export function injectDependencies(owner: Registration, sources: InjectionSources): Record<string, unknown> {
  const { dependencies } = owner;
  if (hasNoKeys(dependencies)) return noEntries;
  const injected = Object.keys(dependencies).length > largestShape ? createDictionary() : {};
  for (const key in dependencies) {
    try {
      injected[key] = injectOne(dependencies[key], owner, sources);
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

/** Of more keys than these an engine makes as many hidden classes, in quadratic time. */
const largestShape = 64;

/** An ordinary object that is a dictionary from the start. */
const createDictionary = (): Record<string, unknown> =>
  Object.setPrototypeOf(Object.create(null), Object.prototype) as Record<string, unknown>;

function injectOne(dependency: unknown, owner: Registration, sources: InjectionSources): unknown {
  const { cells, eventManager, state } = sources;
  const target = targetOf(dependency);
  if (target === undefined) return undefined;
  const { id } = target;
  switch (target.kind) {
    case "task": {
      const cell = cells.tasks.get(id);
      if (cell === undefined) return undefined;
      return owner.kind === "resource" ? createInterceptableCaller(cell, owner.id, state) : createTaskCaller(cell);
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
      if (owner.kind !== "resource") return (payload: unknown) => cell.linked.emit(payload, owner.id);
      return (payload: unknown) =>
        state.phase !== "open" && state.hasEnded(owner.id)
          ? Promise.reject(runDisposedError.create({ kind: "event", id }))
          : cell.linked.emit(payload, owner.id);
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
 * For a call that has a scope: the same dependencies, with the tasks, events and loggers among them bound to it.
 *
 * @returns `undefined` when the definition depends on none of them, so there is nothing to bind
 */
export function createDependencyBinder(
  owner: Registration,
  dependencies: Record<string, unknown>,
  { cells, eventManager }: InjectionSources,
): BindDependencies | undefined {
  if (dependencies === noEntries) return undefined;
  const binders: (readonly [key: string, bind: (scope: CallScope) => unknown])[] = [];
  for (const key in owner.dependencies) {
    const target = targetOf(owner.dependencies[key]);
    const task = target?.kind === "task" && cells.tasks.get(target.id);
    const event = target?.kind === "event" && cells.events.get(target.id)?.event;
    const cell = event && eventManager.cell(event);
    const bind = task
      ? (scope: CallScope) => createBoundCaller(task, scope)
      : cell
        ? (scope: CallScope) => (payload: unknown) => cell.linked.emit(payload, owner.id, scope)
        : callFacts.bind?.(dependencies[key]);
    if (bind) binders.push([key, bind]);
  }
  if (binders.length === 0) return undefined;
  // A copy, because engines are slow to spread what is frozen; its keys are there, so that filling it adds none.
  const unbound = { ...dependencies };
  return (scope) => {
    const bound = { ...unbound };
    for (const [key, bind] of binders) bound[key] = bind(scope);
    return bound;
  };
}
