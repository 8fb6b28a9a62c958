import type { CallInfo, TaskCallOptions } from "../../define/task";
import type { ITask } from "../../define/task";
import type { IResource } from "../../define/resource";
import type { EventManager } from "../events/eventManager";
import type { MiddlewareManager } from "../link/middlewareManager";
import type { Logger } from "../logger";
import type { RunKeyed } from "../runState";
import type { Store } from "./store";

/** Runs tasks by definition; the value of `globals.resources.taskRunner`. */
export interface TaskRunner {
  /** Runs the registered task of the definition's id. @throws {taskNotRegisteredError} (as a rejection) */
  run<I, O extends Promise<any>>(task: ITask<I, O>, input?: I, options?: TaskCallOptions): Promise<Awaited<O>>;
  /**
   * Has a task run another body from its next call on, for tools that reload code; middleware, schemas and dependencies
   * stay. In "dev" mode only. The body takes `any` input and dependencies, as an id has no types.
   *
   * @throws {devModeOnlyError} the run is in another mode
   * @throws {taskNotRegisteredError} there is no such task
   */
  replaceBody(task: string | ITask<any, any>, run: (input: any, dependencies: any, info: CallInfo) => unknown): void;
}

/** What the value of a framework resource is computed from, once per run. */
export interface PresetScope {
  readonly store: Store;
  readonly eventManager: EventManager;
  readonly taskRunner: TaskRunner;
  readonly middlewareManager: MiddlewareManager;
  readonly logger: Logger;
  /** The value of another framework resource of this run. */
  valueOf<V extends Promise<any>>(resource: IResource<any, V>): Awaited<V>;
  /** Has something make the calls of this run that are given an idempotency key. */
  keyCalls(run: RunKeyed): void;
  /**
   * Called once, when what waits should wait no longer: before the run disposes of its first resource, and when its boot
   * is aborted. Must not throw.
   */
  onEnding(begin: () => void): void;
  /** Called after everything of the application was disposed of; all are called at once. */
  onDispose(dispose: () => Promise<void>): void;
}
