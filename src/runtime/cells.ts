import type { IErrorHelper } from "../errors/defineError";
import type { IAsyncContext } from "../define/asyncContext";
import type { IEvent } from "../define/event";
import type { IHook } from "../define/hook";
import type { IResourceMiddleware, ITaskMiddleware } from "../define/middleware";
import type { IResource } from "../define/resource";
import type { ITag } from "../define/tag";
import type { Registrations } from "./registration";
import { TaskCell, type TaskCellContext } from "./taskCell";

/** How far the dependencies of a hook are. */
export const HookDependencyState = /* @__PURE__ */ Object.freeze({
  Pending: "pending",
  Computing: "computing",
  Ready: "ready",
} as const);
export type HookDependencyState = (typeof HookDependencyState)[keyof typeof HookDependencyState];

/** A resource of a run, as `store.resources` shows it. */
export interface ResourceStoreElementType<C = any, V = any, Context = any> {
  readonly resource: IResource<any, any>;
  readonly config: C;
  readonly value: V;
  readonly context: Context;
  readonly computedDependencies: Record<string, unknown>;
  readonly isInitialized: boolean;
}

/** A hook of a run, as `store.hooks` shows it. */
export interface HookStoreElementType {
  readonly hook: IHook;
  readonly computedDependencies: Record<string, unknown>;
  readonly dependencyState: HookDependencyState;
}

/** An event of a run, as `store.events` shows it. */
export interface EventStoreElementType {
  readonly event: IEvent;
}

interface MiddlewareStoreElementType<M> {
  readonly middleware: M;
  readonly computedDependencies: Record<string, unknown>;
  readonly isInitialized: boolean;
}

export type TaskMiddlewareStoreElementType = MiddlewareStoreElementType<ITaskMiddleware>;
export type ResourceMiddlewareStoreElementType = MiddlewareStoreElementType<IResourceMiddleware>;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type ResourceCell = Mutable<ResourceStoreElementType>;
export type HookCell = Mutable<HookStoreElementType>;
export type MiddlewareCell<M = unknown> = Mutable<MiddlewareStoreElementType<M>>;

/** The state of a run, by kind and id, in container order. Filled by the boot, then left alone. */
export interface Cells {
  readonly tasks: Map<string, TaskCell>;
  readonly resources: Map<string, ResourceCell>;
  readonly hooks: Map<string, HookCell>;
  readonly events: Map<string, EventStoreElementType>;
  readonly taskMiddlewares: Map<string, MiddlewareCell<ITaskMiddleware>>;
  readonly resourceMiddlewares: Map<string, MiddlewareCell<IResourceMiddleware>>;
  readonly tags: Map<string, ITag<any, any, any>>;
  readonly errors: Map<string, IErrorHelper>;
  readonly asyncContexts: Map<string, IAsyncContext>;
}

/** One cell per registration, nothing in it yet. */
export function createCells(registrations: Registrations, context: TaskCellContext): Cells {
  const cells: Cells = {
    tasks: new Map(),
    resources: new Map(),
    hooks: new Map(),
    events: new Map(),
    taskMiddlewares: new Map(),
    resourceMiddlewares: new Map(),
    tags: new Map(),
    errors: new Map(),
    asyncContexts: new Map(),
  };
  for (const registration of registrations.values()) {
    const { id } = registration;
    switch (registration.kind) {
      case "task":
        cells.tasks.set(id, new TaskCell(registration.definition, context));
        break;
      case "resource":
        cells.resources.set(id, {
          resource: registration.definition,
          config: registration.config,
          value: undefined,
          context: undefined,
          computedDependencies: {},
          isInitialized: false,
        });
        break;
      case "hook":
        cells.hooks.set(id, {
          hook: registration.definition,
          computedDependencies: {},
          dependencyState: HookDependencyState.Pending,
        });
        break;
      case "event":
        cells.events.set(id, { event: registration.definition });
        break;
      case "taskMiddleware":
        cells.taskMiddlewares.set(id, middlewareCell(registration.definition));
        break;
      case "resourceMiddleware":
        cells.resourceMiddlewares.set(id, middlewareCell(registration.definition));
        break;
      case "tag":
        cells.tags.set(id, registration.definition);
        break;
      case "error":
        cells.errors.set(id, registration.definition);
        break;
      case "asyncContext":
        cells.asyncContexts.set(id, registration.definition);
        break;
    }
  }
  return cells;
}

const middlewareCell = <M>(middleware: M): MiddlewareCell<M> => ({
  middleware,
  computedDependencies: {},
  isInitialized: false,
});
