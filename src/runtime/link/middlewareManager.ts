import { lockedError, taskNotRegisteredError } from "../../errors/runErrors";
import {
  isResourceMiddleware,
  isTaskMiddleware,
  type IResourceMiddleware,
  type ITaskMiddleware,
} from "../../define/middleware";
import { listIn } from "../../lib/graph";
import type { IResource } from "../../define/resource";
import type { ITask } from "../../define/task";
import type { ResourceMiddlewareInterceptor } from "./linkResource";
import type { Invoke } from "./linkTask";
import type { TaskMiddlewareInterceptor } from "./taskLayers";

/** Intercepts tasks, resources and single middleware of a run, until it is ready. */
export interface MiddlewareManager {
  readonly isLocked: boolean;
  readonly taskMiddlewareInterceptors: readonly TaskMiddlewareInterceptor[];
  readonly resourceMiddlewareInterceptors: readonly ResourceMiddlewareInterceptor[];
  lock(): void;
  /** Wraps every task execution, or every resource initialisation; first added is outermost. @throws {lockedError} */
  intercept(kind: "task", interceptor: TaskMiddlewareInterceptor): void;
  intercept(kind: "resource", interceptor: ResourceMiddlewareInterceptor): void;
  /** Wraps one middleware wherever it is attached; last added is outermost. @throws {lockedError} */
  interceptMiddleware(middleware: ITaskMiddleware<any, any, any>, interceptor: TaskMiddlewareInterceptor): void;
  interceptMiddleware(middleware: IResourceMiddleware<any, any, any>, interceptor: ResourceMiddlewareInterceptor): void;
  /** The linked form of a registered task. @throws {taskNotRegisteredError} */
  composeTaskRunner(task: ITask): Invoke;
  /** @deprecated for introspection only */
  getEverywhereMiddlewareForTasks(task: ITask): ITaskMiddleware[];
  /** @deprecated for introspection only */
  getEverywhereMiddlewareForResources(resource: IResource<any, any>): IResourceMiddleware[];
}

/** The interceptors of a run, as linking reads them. */
export interface MiddlewareInterceptors {
  readonly forTasks: TaskMiddlewareInterceptor[];
  readonly forResources: ResourceMiddlewareInterceptor[];
  readonly forTaskMiddleware: Map<string, TaskMiddlewareInterceptor[]>;
  readonly forResourceMiddleware: Map<string, ResourceMiddlewareInterceptor[]>;
}

export function createMiddlewareInterceptors(): MiddlewareInterceptors {
  return { forTasks: [], forResources: [], forTaskMiddleware: new Map(), forResourceMiddleware: new Map() };
}

/** What the manager needs of the run. */
export interface MiddlewareManagerHost {
  readonly interceptors: MiddlewareInterceptors;
  /** Called when something around tasks changed. */
  readonly relinkTasks: () => void;
  readonly findTask: (taskId: string) => { readonly invoke: Invoke } | undefined;
  readonly everywhereForTask: (task: ITask) => ITaskMiddleware[];
  readonly everywhereForResource: (resource: IResource<any, any>) => IResourceMiddleware[];
}

export function createMiddlewareManager({
  interceptors,
  relinkTasks,
  ...host
}: MiddlewareManagerHost): MiddlewareManager {
  let locked = false;
  const assertUnlocked = (): void => {
    if (locked) throw lockedError.create({ what: "MiddlewareManager" });
  };

  return {
    get isLocked() {
      return locked;
    },
    get taskMiddlewareInterceptors() {
      return Object.freeze([...interceptors.forTasks]);
    },
    get resourceMiddlewareInterceptors() {
      return Object.freeze([...interceptors.forResources]);
    },
    lock() {
      locked = true;
    },
    intercept(kind: "task" | "resource", interceptor: TaskMiddlewareInterceptor | ResourceMiddlewareInterceptor) {
      assertUnlocked();
      if (kind === "task") interceptors.forTasks.push(interceptor as TaskMiddlewareInterceptor);
      else interceptors.forResources.push(interceptor as ResourceMiddlewareInterceptor);
      relinkTasks();
    },
    interceptMiddleware(middleware: unknown, interceptor: TaskMiddlewareInterceptor | ResourceMiddlewareInterceptor) {
      assertUnlocked();
      if (isTaskMiddleware(middleware)) {
        listIn(interceptors.forTaskMiddleware, middleware.id).push(interceptor as TaskMiddlewareInterceptor);
        relinkTasks();
      } else if (isResourceMiddleware(middleware)) {
        listIn(interceptors.forResourceMiddleware, middleware.id).push(interceptor as ResourceMiddlewareInterceptor);
      } else {
        throw new Error("Unknown middleware type");
      }
    },
    composeTaskRunner(task) {
      const cell = host.findTask(task.id);
      if (cell === undefined) throw taskNotRegisteredError.create({ taskId: task.id });
      // Read at each call, as a relink replaces it.
      return (input, options) => cell.invoke(input, options);
    },
    getEverywhereMiddlewareForTasks: host.everywhereForTask,
    getEverywhereMiddlewareForResources: host.everywhereForResource,
  };
}
