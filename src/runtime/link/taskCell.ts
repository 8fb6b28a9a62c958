import { noEntries, noItems } from "../../lib/nothing";
import { phantomTaskNotRoutedError, runDisposedError, taskNotReadyError } from "../../errors/runErrors";
import { tunnelOwnershipConflictError } from "../../errors/bootErrors";
import type { ItemsToSend } from "../../define/itemInput";
import { isPhantomTask, type ITask, type TaskCallOptions, type TaskLocalInterceptor } from "../../define/task";
import { symbolTunneledBy } from "../../lib/symbols";
import type { CallScope } from "../callScope";
import type { RunState } from "../runState";
import type { RunTracing } from "../tracing";
import type { Call } from "./call";
import { copyWith } from "./perRunView";
import { linkTask, type Invoke, type TaskLink } from "./linkTask";
import type { TaskLayer, TaskMiddlewareInterceptor } from "./taskLayers";

/** A task of a run, as `store.tasks` shows it. */
export interface TaskStoreElementType<I = any, O extends Promise<any> = any, D = any> {
  /** The applied definition; a copy where its dependencies are a function, or where a tunnel routes it and it says so. */
  readonly task: ITask<I, O, D>;
  readonly computedDependencies: Record<string, unknown>;
  readonly isInitialized: boolean;
  readonly interceptors: readonly TaskLocalInterceptor<any, any>[];
}

/** What a caller passes beside the input of a task that a tunnel routes; a member that is there has a value. */
export interface GivenToRoute {
  readonly items?: ItemsToSend<unknown>;
  readonly idempotencyKey?: string;
}

/** How a tunnel takes over a task. */
export interface TaskRoute {
  /** Id of the tunnel resource. */
  readonly ownerId: string;
  readonly run: (task: ITask, input: unknown, scope: CallScope | undefined, given?: GivenToRoute) => Promise<unknown>;
  /** Ids of the middleware that still runs on this side. */
  readonly keepsMiddleware: ReadonlySet<string>;
}

/** What the cells of a run share. */
export interface TaskCellContext {
  readonly reportFailure: TaskLink["reportFailure"];
  readonly globalInterceptors: readonly TaskMiddlewareInterceptor[];
  readonly interceptorsOf: (middlewareId: string) => readonly TaskMiddlewareInterceptor[];
  readonly phantomsMustBeRouted: boolean;
  /** @throws {Error} the container no longer changes */
  readonly assertUnlocked: () => void;
  readonly state: RunState;
  readonly tracing: RunTracing | undefined;
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
 * The one mutable spot per task. Callers hold the cell and read `invoke` on each call, so a relink reaches all of them.
 * Linking waits for the first call, because most tasks of an application are not called soon, if ever. A class, because
 * an application has thousands.
 */
export class TaskCell implements TaskStoreElementType {
  task: ITask;
  computedDependencies: Record<string, unknown> = noEntries;
  isInitialized = false;
  interceptors: readonly TaskLocalInterceptor<any, any>[] = noItems;
  invoke: Invoke = this.#refuse;
  readonly #definition: ITask;
  readonly #context: TaskCellContext;
  #wiring: TaskWiring | undefined;
  #route: TaskRoute | undefined;
  #isClosed = false;
  #body: ITask["run"] | undefined;

  /** @param view the definition as the run shows it */
  constructor(definition: ITask, view: ITask, context: TaskCellContext) {
    this.task = view;
    this.#definition = definition;
    this.#context = context;
  }

  /** Everything that the task needs is there; from now on it can be called. */
  bake(wiring: TaskWiring): void {
    this.#wiring = wiring;
    this.computedDependencies = wiring.dependencies;
    this.isInitialized = true;
    this.invoke = this.#linkThenInvoke;
  }

  /** @throws {Error} the container no longer changes */
  intercept(interceptor: TaskLocalInterceptor<any, any>): void {
    this.#context.assertUnlocked();
    this.interceptors = [...this.interceptors, interceptor];
    this.relink();
  }

  /** @throws {tunnelOwnershipConflictError} another tunnel routes the task */
  route(route: TaskRoute): void {
    const current = this.#route;
    if (current !== undefined && current.ownerId !== route.ownerId) {
      throw tunnelOwnershipConflictError.create({
        taskId: this.#definition.id,
        currentOwnerId: current.ownerId,
        attemptedOwnerId: route.ownerId,
      });
    }
    this.#route = route;
    this.task = copyWith(this.task, {
      isTunneled: { value: true, enumerable: true },
      [symbolTunneledBy]: { value: route.ownerId, enumerable: true },
    });
    this.relink();
  }

  /** Something around the task changed: link again before the next call. */
  relink(): void {
    if (this.#wiring !== undefined && !this.#isClosed) this.invoke = this.#linkThenInvoke;
  }

  /** From the next call on the task runs this, whether the run is ready or not; a tunnel that routes it goes on doing so. */
  replaceBody(run: ITask["run"]): void {
    this.#body = run;
    this.relink();
  }

  /** The run was disposed of: from now on only what is under way may call the task. */
  close(): void {
    const { state } = this.#context;
    const { id } = this.#definition;
    const invoke = this.invoke.bind(this);
    this.#isClosed = true;
    this.invoke = (input, options) =>
      state.isOver ? Promise.reject(runDisposedError.create({ kind: "task", id })) : invoke(input, options);
  }

  // Both are called as `cell.invoke(...)`, so `this` is the cell.
  #refuse(): Promise<never> {
    return Promise.reject(taskNotReadyError.create({ taskId: this.#definition.id }));
  }

  #linkThenInvoke(input: unknown, options?: TaskCallOptions): Promise<unknown> {
    const linked = this.#link(this.#wiring as TaskWiring);
    // What is under way may call a task for the first time after it was closed, which must not open it again.
    if (!this.#isClosed) this.invoke = linked;
    return linked(input, options);
  }

  #link({ dependencies, bindDependencies, layers }: TaskWiring): Invoke {
    const route = this.#route;
    const context = this.#context;
    return linkTask({
      task: this.#definition,
      run: (route === undefined && this.#body) || bodyOf(this.#definition, route, context.phantomsMustBeRouted),
      dependencies,
      bindDependencies: route === undefined ? bindDependencies : undefined,
      globalInterceptors: context.globalInterceptors,
      layers: layers
        .filter(({ id }) => route === undefined || route.keepsMiddleware.has(id))
        .map((layer) => ({ ...layer, interceptors: context.interceptorsOf(layer.id) })),
      localInterceptors: this.interceptors,
      reportFailure: context.reportFailure,
      state: context.state,
      tunnelId: route?.ownerId,
      trace: context.tracing?.tasks,
    });
  }
}

function givenBy(call: Call | undefined): GivenToRoute | undefined {
  const items = call?.items ?? call?.given?.items;
  const idempotencyKey = call?.idempotencyKey;
  if (idempotencyKey === undefined) return items && { items };
  return items === undefined ? { idempotencyKey } : { items, idempotencyKey };
}

function bodyOf(definition: ITask, route: TaskRoute | undefined, phantomsMustBeRouted: boolean): ITask["run"] {
  if (route !== undefined) {
    return (input, _dependencies, info) => {
      const call = info as Call | undefined;
      // Of a task that is known by its type alone, nothing says that it takes items.
      return route.run(definition, input, call?.scope, givenBy(call));
    };
  }
  if (phantomsMustBeRouted && isPhantomTask(definition)) {
    return () => Promise.reject(phantomTaskNotRoutedError.create({ taskId: definition.id }));
  }
  return definition.run;
}
