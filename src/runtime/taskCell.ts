import { phantomTaskNotRoutedError, taskNotReadyError } from "../errors/runErrors";
import { tunnelOwnershipConflictError } from "../errors/bootErrors";
import type { ExecutionJournal } from "../define/journal";
import { isPhantomTask, type ITask, type TaskCallOptions, type TaskDependencyWithIntercept, type TaskLocalInterceptor } from "../define/task";
import { symbolTunneledBy } from "../lib/symbols";
import { linkTask, type Invoke, type TaskLayer, type TaskLink, type TaskMiddlewareInterceptor } from "./linkTask";

/** A task of a run, as `store.tasks` shows it. */
export interface TaskStoreElementType {
  /** The applied definition; of a task that a tunnel routes, a copy that says so. */
  readonly task: ITask;
  readonly computedDependencies: Record<string, unknown>;
  readonly isInitialized: boolean;
  readonly interceptors: readonly TaskLocalInterceptor<any, any>[];
}

/** How a tunnel takes over a task. */
export interface TaskRoute {
  /** Id of the tunnel resource. */
  readonly ownerId: string;
  readonly run: (task: ITask, input: unknown, options: TaskCallOptions) => Promise<unknown>;
  /** Ids of the middleware that still runs on this side. */
  readonly keepsMiddleware: ReadonlySet<string>;
}

/** What the cells of a run share. */
export interface TaskCellContext {
  readonly reportFailure: (error: unknown, taskId: string) => void;
  readonly globalInterceptors: readonly TaskMiddlewareInterceptor[];
  readonly interceptorsOf: (middlewareId: string) => readonly TaskMiddlewareInterceptor[];
  readonly phantomsMustBeRouted: boolean;
  /** @throws {Error} the container no longer changes */
  readonly assertUnlocked: () => void;
}

/** A middleware around the task, before its interceptors are known. */
export interface WiredLayer extends Omit<TaskLayer, "interceptors"> {
  readonly id: string;
}

/** What a task is linked with once everything it needs is there. */
export interface TaskWiring {
  readonly dependencies: Record<string, unknown>;
  readonly bindDependencies: TaskLink["bindDependencies"];
  readonly layers: readonly WiredLayer[];
}

/**
 * The one mutable spot per task. Callers hold the cell and read `invoke` on each call, so a relink reaches all of them;
 * `seal` ends relinking.
 */
export interface TaskCell extends TaskStoreElementType {
  invoke: Invoke;
  /** Links the task; from now on it can be called. */
  bake(wiring: TaskWiring): void;
  intercept(interceptor: TaskLocalInterceptor<any, any>): void;
  /** @throws {tunnelOwnershipConflictError} another tunnel routes the task */
  route(route: TaskRoute): void;
  /** Something around the task changed: link again before the next call. */
  relink(): void;
  seal(): void;
}

export function createTaskCell(definition: ITask, context: TaskCellContext): TaskCell {
  const interceptors: TaskLocalInterceptor<any, any>[] = [];
  let wiring: TaskWiring | undefined;
  let route: TaskRoute | undefined;

  const reportFailure = (error: unknown): void => context.reportFailure(error, definition.id);
  const link = (): Invoke => {
    const { dependencies, bindDependencies, layers } = wiring as TaskWiring;
    return linkTask({
      task: definition,
      run: bodyOf(definition, route, context.phantomsMustBeRouted),
      dependencies,
      bindDependencies: route === undefined ? bindDependencies : undefined,
      globalInterceptors: context.globalInterceptors,
      layers: layers
        .filter(({ id }) => route === undefined || route.keepsMiddleware.has(id))
        .map((layer) => ({ ...layer, interceptors: context.interceptorsOf(layer.id) })),
      localInterceptors: interceptors,
      reportFailure,
    });
  };
  const linkThenInvoke: Invoke = (input, options) => {
    cell.invoke = link();
    return cell.invoke(input, options);
  };

  const cell: { -readonly [K in keyof TaskCell]: TaskCell[K] } = {
    task: definition,
    computedDependencies: noDependencies,
    isInitialized: false,
    interceptors,
    invoke: () => Promise.reject(taskNotReadyError.create({ taskId: definition.id })),
    bake(given) {
      wiring = given;
      cell.computedDependencies = given.dependencies;
      cell.isInitialized = true;
      cell.invoke = link();
    },
    intercept(interceptor) {
      context.assertUnlocked();
      interceptors.push(interceptor);
      cell.relink();
    },
    route(given) {
      if (route !== undefined && route.ownerId !== given.ownerId) {
        throw tunnelOwnershipConflictError.create({
          taskId: definition.id,
          currentOwnerId: route.ownerId,
          attemptedOwnerId: given.ownerId,
        });
      }
      route = given;
      // Accessors are kept as they are: reading one would work out a path nobody asked for.
      const view: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(definition);
      view["isTunneled"] = { value: true, enumerable: true };
      cell.task = Object.freeze(Object.defineProperty(Object.create(Object.prototype, view), symbolTunneledBy, { value: given.ownerId, enumerable: true })) as ITask;
      cell.relink();
    },
    relink() {
      if (wiring !== undefined) cell.invoke = linkThenInvoke;
    },
    seal() {
      if (cell.invoke === linkThenInvoke) cell.invoke = link();
    },
  };
  return cell;
}

const noDependencies: Record<string, unknown> = {};

function bodyOf(definition: ITask, route: TaskRoute | undefined, phantomsMustBeRouted: boolean): ITask["run"] {
  if (route !== undefined) {
    return (input, _dependencies, call) =>
      route.run(definition, input, { signal: (call as { givenSignal?: AbortSignal } | undefined)?.givenSignal });
  }
  if (phantomsMustBeRouted && isPhantomTask(definition)) {
    return () => Promise.reject(phantomTaskNotRoutedError.create({ taskId: definition.id }));
  }
  return (input, dependencies, call) => definition.run(input, dependencies, call);
}

/** What tasks, hooks and middleware receive for a task. */
export type InjectedTask = ((input?: unknown, options?: TaskCallOptions) => Promise<unknown>) & { readonly id: string };

/**
 * A caller of one task.
 *
 * @param inherited signal of the call on whose behalf the task is called; an own one takes its place
 */
export function createTaskCaller(cell: TaskCell, inherited?: AbortSignal): InjectedTask {
  const { id, inputSchema } = cell.task;
  const invoke =
    inherited === undefined
      ? (input: unknown, options?: TaskCallOptions) => cell.invoke(input, options)
      : (input: unknown, options?: TaskCallOptions) =>
          cell.invoke(input, { journal: options?.journal, signal: options?.signal ?? inherited });
  // A schema says the input matters, so an only argument is never mistaken for options.
  const caller =
    inputSchema !== undefined
      ? invoke
      : function caller(input?: unknown, options?: TaskCallOptions) {
          if (arguments.length === 1 && typeof input === "object" && isCallOptions(input)) return invoke(undefined, input);
          return invoke(input, options);
        };
  return Object.defineProperty(caller, "id", { value: id, enumerable: true }) as unknown as InjectedTask;
}

/** What resources receive for a task: the caller, able to intercept. */
export function createInterceptableCaller(cell: TaskCell): TaskDependencyWithIntercept<unknown, Promise<unknown>> {
  const caller = createTaskCaller(cell) as InjectedTask & { intercept?: unknown };
  caller.intercept = (interceptor: TaskLocalInterceptor<any, any>) => cell.intercept(interceptor);
  return caller as TaskDependencyWithIntercept<unknown, Promise<unknown>>;
}

/** A plain object that holds a journal or a signal, and nothing else. */
export function isCallOptions(value: object | null): value is TaskCallOptions {
  if (value === null || !("signal" in value || "journal" in value)) return false;
  return Object.entries(value).every(([key, entry]) =>
    key === "signal" ? entry instanceof AbortSignal : key === "journal" && isJournal(entry),
  );
}

function isJournal(value: unknown): value is ExecutionJournal {
  return typeof value === "object" && value !== null && "get" in value && "set" in value && "has" in value;
}
