import { phantomTaskNotRoutedError, runDisposedError, taskNotReadyError } from "../../errors/runErrors";
import { tunnelOwnershipConflictError } from "../../errors/bootErrors";
import type { ItemsToSend } from "../../define/itemInput";
import {
  isPhantomTask,
  type ITask,
  type TaskCallOptions,
  type TaskDependencyWithIntercept,
  type TaskLocalInterceptor,
} from "../../define/task";
import { isPlainObject } from "../../lib/guards";
import { itemStream } from "../../lib/itemStream";
import type { ItemSource } from "../../lib/itemReader";
import { symbolTunneledBy } from "../../lib/symbols";
import { captureSlots } from "../../platform/contextScope";
import type { CallScope } from "../callScope";
import type { RunState } from "../runState";
import type { RunTracing } from "../tracing";
import type { Call } from "./call";
import { copyWith } from "./perRunView";
import { linkTask, type Invoke, type TaskLayer, type TaskLink, type TaskMiddlewareInterceptor } from "./linkTask";

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
  computedDependencies: Record<string, unknown> = noDependencies;
  isInitialized = false;
  interceptors: readonly TaskLocalInterceptor<any, any>[] = noInterceptors;
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

const noDependencies: Record<string, unknown> = {};
const noInterceptors: readonly never[] = [];

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

/** What tasks, hooks and middleware receive for a task. */
export type InjectedTask = ((input?: unknown, options?: TaskCallOptions) => Promise<unknown>) & { readonly id: string };

/** A caller of one task, for any number of calls. */
export function createTaskCaller(cell: TaskCell): InjectedTask {
  if (cell.task.streams === true) {
    return withId(
      callerOf(cell, (input, options) => cell.invoke(input, options)),
      cell.task.id,
    );
  }
  // As `callerOf`, without a function in between: most calls of an application are made by these.
  function caller(input?: unknown, options?: TaskCallOptions) {
    return isOnlyOptions(cell.task, arguments.length, input)
      ? cell.invoke(undefined, input)
      : cell.invoke(input, options);
  }
  return withId(caller, cell.task.id);
}

const withId = (caller: Caller, id: string): InjectedTask =>
  Object.defineProperty(caller, "id", { value: id, enumerable: true }) as InjectedTask;

/**
 * As `createTaskCaller`, for one call of another task, hook or middleware, whose scope is passed on.
 *
 * Made per call, so the id is set plainly: defining a property would cost more than all the rest of the call.
 */
export function createBoundCaller(cell: TaskCell, scope: CallScope): InjectedTask {
  const caller = callerOf(
    cell,
    (input, options) =>
      cell.invoke(input, {
        journal: options?.journal,
        signal: options?.signal,
        timeoutMs: options?.timeoutMs,
        idempotencyKey: options?.idempotencyKey,
        items: options?.items,
        scope,
      }),
    scope,
  );
  caller.id = cell.task.id;
  return caller as InjectedTask;
}

type Caller = Invoke & { id?: string };

function callerOf(cell: TaskCell, invoke: Invoke, scope?: CallScope): Caller {
  if (cell.task.streams === true) return streamCallerOf(cell.task, invoke, scope);
  return function caller(input?: unknown, options?: TaskCallOptions) {
    return isOnlyOptions(cell.task, arguments.length, input) ? invoke(undefined, input) : invoke(input, options);
  };
}

/** What is called gives a stream at once; the call is made when its first item is asked for, in the contexts of now. */
function streamCallerOf(task: ITask, invoke: Invoke, scope: CallScope | undefined): Caller {
  // `any`: typed by the definition.
  return function caller(given?: unknown, options?: TaskCallOptions): any {
    const isOptions = isOnlyOptions(task, arguments.length, given);
    const { signal = scope?.signal, ...rest } = (isOptions ? given : options) ?? {};
    const input = isOptions ? undefined : given;
    const enter = captureSlots();
    return itemStream(async (end) => {
      const { ItemReader } = await import("../../lib/itemReader");
      const begin = (own: AbortSignal) => enter(() => invoke(input, { ...rest, signal: own })) as Promise<ItemSource>; // as linked
      return new ItemReader({ begin, signal }, end);
    });
  };
}

/** What resources receive for a task: the caller, able to intercept. It calls until the resource is disposed of. */
export function createInterceptableCaller(
  cell: TaskCell,
  ownerId: string,
  state: RunState,
): TaskDependencyWithIntercept<unknown, Promise<unknown>> {
  const { id } = cell.task;
  const invoke: Invoke = (input, options) =>
    state.phase !== "open" && state.hasEnded(ownerId)
      ? Promise.reject(runDisposedError.create({ kind: "task", id }))
      : cell.invoke(input, options);
  const caller = withId(callerOf(cell, invoke), id) as InjectedTask & { intercept?: unknown };
  caller.intercept = (interceptor: TaskLocalInterceptor<any, any>) => cell.intercept(interceptor);
  return caller as TaskDependencyWithIntercept<unknown, Promise<unknown>>;
}

/**
 * Whether what a caller was given is options and no input: the only argument, and nothing else it could be. A schema says
 * that the input matters.
 */
export function isOnlyOptions({ inputSchema }: ITask, argumentCount: number, input: unknown): input is TaskCallOptions {
  return argumentCount === 1 && inputSchema === undefined && typeof input === "object" && isCallOptions(input);
}

/** A plain object that holds a journal or a signal, either of them possibly `undefined`, and nothing else. */
function isCallOptions(value: object | null): value is TaskCallOptions {
  if (value === null || !("signal" in value || "journal" in value)) return false;
  if (!isPlainObject(value)) return false;
  return Object.entries(value).every(([key, entry]) =>
    key === "signal" ? isOptional(entry, isSignal) : key === "journal" && isOptional(entry, isJournal),
  );
}

const isOptional = (value: unknown, is: (value: unknown) => boolean): boolean => value === undefined || is(value);
const isSignal = (value: unknown): boolean => value instanceof AbortSignal;

function isJournal(value: unknown): boolean {
  return typeof value === "object" && value !== null && "get" in value && "set" in value && "has" in value;
}
