import { noEntries } from "../../lib/nothing";
import type { IErrorHelper } from "../../errors/defineError";
import type { IAsyncContext } from "../../define/asyncContext";
import type { IEvent } from "../../define/event";
import type { IHook } from "../../define/hook";
import type { IResourceMiddleware, ITaskMiddleware } from "../../define/middleware";
import type { IResource } from "../../define/resource";
import type { ITag } from "../../define/tag";
import { registrationsOf, type Registration, type Registrations } from "../plan/registration";
import { perRunView } from "./perRunView";
import { TaskCell, type TaskCellContext } from "./taskCell";
import type { BindDependencies } from "./taskStep";

/** How far the dependencies of a hook are. */
export const HookDependencyState = /* @__PURE__ */ Object.freeze({
  Pending: "pending",
  Computing: "computing",
  Ready: "ready",
} as const);
export type HookDependencyState = (typeof HookDependencyState)[keyof typeof HookDependencyState];
/** Its members as types, as those of an enum: `HookDependencyState.Ready`. */
// eslint-disable-next-line @typescript-eslint/no-namespace -- nothing else gives a constant types as members
export declare namespace HookDependencyState {
  type Pending = typeof HookDependencyState.Pending;
  type Computing = typeof HookDependencyState.Computing;
  type Ready = typeof HookDependencyState.Ready;
}

/** A resource of a run, as `store.resources` shows it. */
export interface ResourceStoreElementType<C = any, V extends Promise<any> = any, D = any, Context = any> {
  readonly resource: IResource<C, V, D>;
  readonly config: C;
  readonly value: Awaited<V>;
  readonly context: Context;
  readonly computedDependencies: Record<string, unknown>;
  readonly isInitialized: boolean;
}

/** A hook of a run, as `store.hooks` shows it. */
export interface HookStoreElementType<D = any, On = any> {
  readonly hook: IHook<D, On>;
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

/** A task middleware of a run, as `store.taskMiddlewares` shows it. */
export type TaskMiddlewareStoreElementType<D = any> = MiddlewareStoreElementType<ITaskMiddleware<any, void, void, D>>;
/** A resource middleware of a run, as `store.resourceMiddlewares` shows it. */
export type ResourceMiddlewareStoreElementType<D = any> = MiddlewareStoreElementType<
  IResourceMiddleware<any, void, void, D>
>;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type ResourceCell = Mutable<ResourceStoreElementType>;
/** What binds the dependencies of a definition to the scope of one call, where it depends on something that calls. */
interface Bindable {
  bindDependencies: BindDependencies | undefined;
}

export type HookCell = Mutable<HookStoreElementType> & Bindable;
export type MiddlewareCell<M = unknown> = Mutable<MiddlewareStoreElementType<M>> & Bindable;

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
  const cellsOf = <Kind extends Registration["kind"], Cell>(
    kind: Kind,
    make: (registration: Extract<Registration, { kind: Kind }>) => Cell,
  ): Map<string, Cell> => new Map(registrationsOf(registrations, kind).map((each) => [each.id, make(each)]));

  return {
    tasks: cellsOf("task", (registration) => new TaskCell(registration.definition, perRunView(registration), context)),
    resources: cellsOf("resource", (registration) => ({
      resource: perRunView(registration),
      config: registration.config,
      value: undefined,
      context: undefined,
      computedDependencies: noEntries,
      isInitialized: false,
    })),
    hooks: cellsOf("hook", (registration) => ({
      hook: perRunView(registration),
      computedDependencies: noEntries,
      bindDependencies: undefined,
      dependencyState: HookDependencyState.Pending,
    })),
    events: cellsOf("event", ({ definition }) => ({ event: definition })),
    taskMiddlewares: cellsOf("taskMiddleware", (registration) => ({
      middleware: perRunView(registration),
      bindDependencies: undefined,
      ...blank(),
    })),
    resourceMiddlewares: cellsOf("resourceMiddleware", (registration) => ({
      middleware: perRunView(registration),
      bindDependencies: undefined,
      ...blank(),
    })),
    tags: cellsOf("tag", ({ definition }) => definition),
    errors: cellsOf("error", ({ definition }) => definition),
    asyncContexts: cellsOf("asyncContext", ({ definition }) => definition),
  };
}

const blank = () => ({ computedDependencies: noEntries, isInitialized: false });
