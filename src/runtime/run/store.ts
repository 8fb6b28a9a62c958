import type { IErrorHelper } from "../../errors/defineError";
import type { IAsyncContext } from "../../define/asyncContext";
import type { IResource, OverridableElements } from "../../define/resource";
import type { ITag } from "../../define/tag";
import type { ITask } from "../../define/task";
import type { OverrideRequest } from "../plan/applyOverrides";
import type {
  Cells,
  EventStoreElementType,
  HookStoreElementType,
  ResourceMiddlewareStoreElementType,
  ResourceStoreElementType,
  TaskMiddlewareStoreElementType,
} from "../link/cells";
import type { MiddlewareManager } from "../link/middlewareManager";
import type { Drains, ServerDrain } from "./drains";
import type { RunnerMode } from "./options";
import type { RunTracing } from "../tracing";
import type { TaskCell, TaskRoute, TaskStoreElementType } from "../link/taskCell";
import type { OnUnhandledError } from "./unhandledErrors";

/** What a run consists of; the value of `globals.resources.store`. Maps are in container order. */
export interface Store {
  readonly root: ResourceStoreElementType;
  readonly mode: RunnerMode;
  readonly onUnhandledError: OnUnhandledError;
  readonly tasks: ReadonlyMap<string, TaskStoreElementType>;
  readonly resources: ReadonlyMap<string, ResourceStoreElementType>;
  readonly events: ReadonlyMap<string, EventStoreElementType>;
  readonly hooks: ReadonlyMap<string, HookStoreElementType>;
  readonly taskMiddlewares: ReadonlyMap<string, TaskMiddlewareStoreElementType>;
  readonly resourceMiddlewares: ReadonlyMap<string, ResourceMiddlewareStoreElementType>;
  readonly tags: ReadonlyMap<string, ITag<any, any, any>>;
  readonly errors: ReadonlyMap<string, IErrorHelper>;
  readonly asyncContexts: ReadonlyMap<string, IAsyncContext>;
  /** Applied overrides by id. */
  readonly overrides: ReadonlyMap<string, NonNullable<OverridableElements>>;
  readonly overrideRequests: ReadonlySet<OverrideRequest>;
  readonly isLocked: boolean;
  lock(): void;
  /** @throws {Error} the container is ready and no longer changes */
  checkLock(): void;
  getTasksWithTag(tag: string | { readonly id: string }): ITask[];
  getResourcesWithTag(tag: string | { readonly id: string }): IResource<any, any>[];
  getMiddlewareManager(): MiddlewareManager;
  /** @internal A task as it can be called: read `invoke` at each call, as a relink replaces it. */
  findTask(taskId: string): TaskCell | undefined;
  /**
   * @internal Hands a task over to a tunnel.
   * @throws {tunnelOwnershipConflictError} another tunnel routes the task
   */
  routeTask(taskId: string, route: TaskRoute): void;
  /** @internal Has a server drained before the run disposes of anything. @returns what takes that back */
  addDrain(server: ServerDrain): () => void;
  /** @internal What publishes the calls of the run; absent in bundles without it. */
  readonly tracing: RunTracing | undefined;
}

export interface StoreParts {
  readonly cells: Cells;
  readonly drains: Drains;
  readonly tracing: RunTracing | undefined;
  readonly rootId: string;
  readonly mode: RunnerMode;
  readonly onUnhandledError: OnUnhandledError;
  readonly overrideRequests: readonly OverrideRequest[];
  readonly middlewareManager: () => MiddlewareManager;
  readonly lock: Lock;
}

/** Whether the container still changes. Shared by everything that asks. */
export interface Lock {
  locked: boolean;
  /** @throws {Error} the container no longer changes */
  assertOpen(): void;
}

export function createLock(): Lock {
  const lock: Lock = {
    locked: false,
    assertOpen() {
      if (lock.locked) throw new Error("Cannot modify the Store when it is locked.");
    },
  };
  return lock;
}

export function createStore({ cells, drains, rootId, lock, overrideRequests, ...parts }: StoreParts): Store {
  return {
    ...cells,
    root: cells.resources.get(rootId) as ResourceStoreElementType,
    mode: parts.mode,
    onUnhandledError: parts.onUnhandledError,
    overrides: new Map(overrideRequests.map(({ override }) => [override.id, override])),
    overrideRequests: new Set(overrideRequests),
    get isLocked() {
      return lock.locked;
    },
    lock() {
      lock.locked = true;
    },
    checkLock: lock.assertOpen,
    getTasksWithTag: (tag) => [...cells.tasks.values()].map(({ task }) => task).filter((task) => carries(task, tag)),
    getResourcesWithTag: (tag) =>
      [...cells.resources.values()].map(({ resource }) => resource).filter((resource) => carries(resource, tag)),
    getMiddlewareManager: parts.middlewareManager,
    findTask: (taskId) => cells.tasks.get(taskId),
    routeTask(taskId, route) {
      lock.assertOpen();
      cells.tasks.get(taskId)?.route(route);
    },
    addDrain: drains.add,
    tracing: parts.tracing,
  };
}

function carries(
  { tags }: { readonly tags: readonly { readonly id: string }[] },
  tag: string | { readonly id: string },
): boolean {
  const id = typeof tag === "string" ? tag : tag.id;
  return tags.some((each) => each.id === id);
}
