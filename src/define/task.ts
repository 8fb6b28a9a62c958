import { builderIncompleteError } from "../errors/bootErrors";
import { taskNotRoutedError } from "../errors/runErrors";
import { captureFilePath, withFilePath } from "../lib/filePath";
import {
  optional,
  type DependencyMap,
  type Injectable,
  type Injected,
  type InjectedMap,
  type InjectedOf,
  type IOptionalDependency,
  type Listed,
  type ReceivedBy,
  type ReturnedBy,
  type Unbuilt,
} from "../lib/injectable";
import type { IdSlot } from "../lib/idSlot";
import type { Schema, StatedOutput, StatedSchema } from "../lib/schema";
import type { ItemStream } from "../lib/itemStream";
import { symbolFilePath, symbolPhantomTask, symbolTask, symbolTunneledBy } from "../lib/symbols";
import type { IsAny, Open, Resolution, Unaliased } from "../lib/typeLevel";
import type { GivenMeta, ITaskMeta, TagType, TaskMiddlewareAttachmentType } from "./attachments";
import { assertDependencies, assertFunction, assertList } from "./assertArguments";
import { assertSchema } from "./assertSchema";
import { assertId, hasBrand } from "./brand";
import {
  appendTo,
  mergeDependencies,
  type DependencySource,
  type ListedDependencies,
  type ReplaceOption,
} from "./builderLists";
import type {
  Bound,
  Carrying,
  ContractShape,
  FixedOutput,
  ItemsOf,
  NoContracts,
  OutputBound,
  Resolved,
  ResolveInput,
} from "./contracts";
import type { ExecutionJournal } from "./journal";
import type { TaskIdOf } from "./remote";
import { normalizeThrows, type ErrorSlot, type ThrowsList } from "./throwsList";

/** What a task learns about the call it serves. */
export interface CallInfo {
  /** Shared by everything that takes part in this execution. */
  readonly journal: ExecutionJournal;
  /** Aborts with the signal of the caller, and when the time of the call is up; never, when the caller set neither. */
  readonly signal: AbortSignal;
  /** The time that is left, where a caller on the way set one, in this process or another. */
  readonly deadline?: CallDeadline | undefined;
  /** `"local"`, or what the call came in by, such as `"exposure:http"`. */
  readonly origin: string;
  /** What authentication calls the caller, if the call came in from outside. */
  readonly name?: string | undefined;
}

/** When the time of a call is up. */
export interface CallDeadline {
  /** Whole milliseconds, as of now; 0 once the time is up. */
  readonly remainingMs: number;
}

/** What is given by hand, as in a unit test of a task: it may hold the journal alone. */
export type GivenCallInfo = Pick<CallInfo, "journal"> & Partial<CallInfo>;

/** What a caller may pass beside the input. */
export interface TaskCallOptions {
  /** Forwarded instead of a fresh journal. */
  journal?: ExecutionJournal | undefined;
  /** Reaches the task as `signal`, and the tasks it calls in turn. */
  signal?: AbortSignal | undefined;
  /**
   * The time for the call, in ms, here or in another process. When it is up the call rejects with
   * `deadlineExceededError`, and the task's `signal` aborts. Default: what is left of the caller's own time.
   *
   * Beside an input: a single argument counts as options only if it holds a journal or a signal and nothing else.
   */
  timeoutMs?: number | undefined;
}

/** A task as its dependants call it. */
export type TaskCaller<I, O> = [I] extends [undefined | void]
  ? IsAny<I> extends true
    ? (input?: any, options?: TaskCallOptions) => O // an `any` task takes anything
    : { (options?: TaskCallOptions): O; (input: undefined | void, options?: TaskCallOptions): O }
  : (input: I, options?: TaskCallOptions) => O;

/** Wraps a task from inside a resource; first added is outermost. */
export type TaskLocalInterceptor<I, O> = (next: (input: I) => O, input: I) => O;

/** What tasks, hooks and middleware receive for a task dependency. */
export type TaskDependency<I, O> = TaskCaller<I, O> & { readonly id: string };

/** What resources receive for a task dependency. */
export type TaskDependencyWithIntercept<I, O> = TaskDependency<I, O> & Interceptable<I, O>;

/** What the caller of a task says of it. */
export interface CallerFacts<E> {
  readonly id: string;
  readonly $throws?: ErrorSlot<E>;
}

interface Interceptable<I, O> {
  /** @throws {Error} the container is ready and no longer changes */
  intercept(interceptor: TaskLocalInterceptor<I, O>): void;
}

/**
 * An async function with dependencies, middleware and schemas.
 *
 * `I` is the input as `run` receives it, `O` the promise of the result. `D`, what the body receives, is read off by
 * overrides; no member has it, so that tasks which differ in their dependencies alone can stand for each other. `In` is
 * what callers pass, which a schema may fill in and transform; `Id` the id, if it is a literal; `E` what `.throws` lists.
 */
export interface Task<
  I,
  O extends Promise<any>,
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- see above
  D,
  In = I,
  Id extends string = string,
  E = undefined,
> extends Injectable {
  readonly kind: "task";
  readonly id: string;
  readonly meta: ITaskMeta;
  readonly dependencies: ListedDependencies;
  readonly middleware: TaskMiddlewareAttachmentType[];
  readonly tags: TagType[];
  readonly inputSchema?: Schema | undefined;
  readonly resultSchema?: Schema | undefined;
  /** Ids of errors it says it may throw; documentation only. */
  readonly throws?: readonly string[] | undefined;
  /** Its calls give an `ItemStream`. */
  readonly streams?: true;
  /** Of a streamed task: validates, and may transform, each item. */
  readonly itemSchema?: Schema | undefined;
  /** On the store's view of a task that a tunnel routes. */
  readonly isTunneled?: boolean;
  readonly [symbolTask]: true;
  readonly [symbolFilePath]: string;
  readonly [symbolPhantomTask]?: true;
  readonly [symbolTunneledBy]?: string;
  // A method, so that parameters are bivariant and `ITask<any>` is a supertype of every task.
  run(input: I, dependencies: any, info?: GivenCallInfo): O;
  optional(): IOptionalDependency<ITask<I, O>>;
  readonly $io?: readonly [I, O];
  // A method, as `run` is: tasks of compatible inputs stay assignable.
  $in?(input: In): void;
  readonly $id?: IdSlot<Id>;
  readonly $throws?: ErrorSlot<E>;
  // Without the name `TaskDependency`: an editor then shows the signature.
  readonly $injects?: readonly [TaskCaller<In, O> & CallerFacts<E>];
  readonly $injectsInResource?: readonly [TaskCaller<In, O> & CallerFacts<E> & Interceptable<I, O>];
}

/** A task whose calls give items one by one. */
export interface StreamTask<I, Item, Result, D, In = I, Id extends string = string, E = undefined> extends Task<
  I,
  any, // the calls of any task give something
  D,
  In,
  Id,
  E
> {
  readonly streams?: true;
  // A method, as above.
  run(input: I, dependencies: any, info?: GivenCallInfo): AsyncGenerator<Item, Result, any>;
  optional(): IOptionalDependency<ITask<I, any>> & {
    readonly $injects?: readonly [(TaskCaller<In, ItemStream<Item, Result>> & { readonly id: string }) | undefined];
  };
  readonly $io?: readonly [I, ItemStream<Item, Result>];
  readonly $injects?: readonly [TaskCaller<In, ItemStream<Item, Result>> & { readonly id: string }];
  readonly $injectsInResource?: readonly [
    TaskCaller<In, ItemStream<Item, Result>> & { readonly id: string } & Interceptable<I, Promise<unknown>>,
  ];
}

/* eslint-disable @typescript-eslint/no-unused-vars -- source compatibility, see below */
/** A task, with the type parameters of 5.x; meta, tags and middleware are no longer part of the type. */
export type ITask<I = any, O extends Promise<any> = any, D = {}, M = any, Tags = any, Mw = any> = Unaliased<
  Task<I, O, InjectedOf<D>>
>;
/* eslint-enable @typescript-eslint/no-unused-vars */

/* eslint-disable @typescript-eslint/no-unused-vars -- source compatibility, as above */
/** A task without a body, to be routed by a tunnel. */
export type IPhantomTask<I = any, Result = any, D = {}, M = any, Tags = any, Mw = any> = Unaliased<
  Task<I, Promise<Result>, InjectedOf<D>> & { readonly [symbolPhantomTask]: true }
>;
/* eslint-enable @typescript-eslint/no-unused-vars */

export type AnyTask = ITask;

/** The input as `run` receives it. What callers pass may differ, see `TaskInput`. */
export type ExtractTaskInput<T> = T extends { readonly $io?: readonly [infer I, any] } ? I : never;
/** What callers pass: the schema's input, whose defaults may be left out. */
export type TaskInput<T> = T extends { $in?(input: infer In): void } ? In : never;
/** The promise type of a task's result. */
export type ExtractTaskOutput<T> = T extends { readonly $io?: readonly [any, infer O] } ? O : never;

/** The input of `run`: schema first, then contracts, then the callback's own annotation. */
export type RunInput<I, S extends ContractShape, Annotated> = [S["needs"]] extends [never]
  ? [I] extends [undefined | void]
    ? Annotated
    : I
  : ResolveInput<I, Open<I>, ItemsOf<S>, Annotated>;

/** What `run` may resolve to. */
export type RunBound<O, S extends ContractShape> = [S["gives"]] extends [never]
  ? S["schema"] extends true
    ? Resolution<O>
    : any // nothing bounds the result
  : Bound<ItemsOf<S>, S["schema"], Resolution<O>>;

/**
 * Fluent form of a task definition; every method returns a new builder.
 *
 * `I` is the input, `O` the promise of the result, `D` what `run` receives, `S` what tags, middleware and a result schema
 * state about input and result, `In` what an input schema accepts (`undefined` without one), `Id` the id, `E` what it throws.
 */
export interface TaskBuilder<
  I,
  O extends Promise<any>,
  D extends object,
  S extends ContractShape,
  In = undefined,
  Id extends string = string,
  E = undefined,
> extends Unbuilt {
  readonly id: Id;
  /** Adds dependencies; later keys win. */
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option?: { override?: false },
  ): TaskBuilder<I, O, D & { [K in keyof N]: Injected<N[K]> }, S, In, Id, E>;
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option: { override: true },
  ): TaskBuilder<I, O, { [K in keyof N]: Injected<N[K]> }, S, In, Id, E>;
  /** Adds tags. */
  tags<const T extends readonly TagType[]>(
    tags: T,
    option?: { override?: false },
  ): TaskBuilder<I, O, D, Carrying<readonly [...S["tags"], ...T], S["middleware"], S["schema"]>, In, Id, E>;
  tags<const T extends readonly TagType[]>(
    tags: T,
    option: { override: true },
  ): TaskBuilder<I, O, D, Carrying<T, S["middleware"], S["schema"]>, In, Id, E>;
  /** Adds middleware; the first one is outermost. */
  middleware<const T extends readonly TaskMiddlewareAttachmentType[]>(
    middleware: T,
    option?: { override?: false },
  ): TaskBuilder<I, O, D, Carrying<S["tags"], readonly [...S["middleware"], ...T], S["schema"]>, In, Id, E>;
  middleware<const T extends readonly TaskMiddlewareAttachmentType[]>(
    middleware: T,
    option: { override: true },
  ): TaskBuilder<I, O, D, Carrying<S["tags"], T, S["schema"]>, In, Id, E>;
  /** Validates, and may transform, the input right before `run`. */
  inputSchema<N, A>(schema: StatedSchema<N, A>): TaskBuilder<N, O, D, S, A, Id, E>;
  inputSchema<N, A = N>(schema: Schema<N, A>): TaskBuilder<N, O, D, S, A, Id, E>;
  /** Validates, and may transform, what `run` resolves to. */
  resultSchema<R>(schema: StatedOutput<R>): TaskBuilder<I, Promise<R>, D, FixedOutput<S>, In, Id, E>;
  resultSchema<R>(schema: Schema<R>): TaskBuilder<I, Promise<R>, D, FixedOutput<S>, In, Id, E>;
  /** Errors it may throw, as helpers or ids: callers know their types, nothing is enforced. Replaces the list. */
  throws<const T extends ThrowsList>(list: T): TaskBuilder<I, O, D, S, In, Id, T[number]>;
  meta<M extends ITaskMeta>(meta: M): TaskBuilder<I, O, D, S, In, Id, E>;
  /** The body. Without a schema, the input's type is the parameter's annotation. */
  run<A = I, R extends RunBound<O, S> = RunBound<O, S>>(
    run: (input: RunInput<I, S, A>, dependencies: D, info: CallInfo) => Promise<Resolved<S, R>>,
  ): TaskBuilder<RunInput<I, S, A>, S["schema"] extends true ? O : Promise<R>, D, S, In, Id, E>;
  /**
   * The body of a streamed task, instead of `.run`: yields the items, and may return something at their end. A call of the
   * task gives an `ItemStream`.
   */
  stream<A = I, Item = any, Result = void>(
    body: (input: RunInput<I, S, A>, dependencies: D, info: CallInfo) => AsyncGenerator<Item, Result, any>,
  ): StreamTaskBuilder<RunInput<I, S, A>, Item, Result, D, In, Id, E>;
  /** @throws {builderIncompleteError} `.run` is missing */
  build(): Task<I, O, D, [In] extends [undefined | void] ? I : In, Id, E>;
}

/** Builder of a streamed task; what it is about is said before `.stream`, or after it. */
export interface StreamTaskBuilder<I, Item, Result, D, In, Id extends string, E> extends Unbuilt {
  readonly id: Id;
  tags(tags: readonly TagType[], option?: ReplaceOption): StreamTaskBuilder<I, Item, Result, D, In, Id, E>;
  /** Adds middleware, which sees the call until the first item is there. */
  middleware(
    middleware: readonly TaskMiddlewareAttachmentType[],
    option?: ReplaceOption,
  ): StreamTaskBuilder<I, Item, Result, D, In, Id, E>;
  inputSchema<N, A = N>(schema: Schema<N, A>): StreamTaskBuilder<N, Item, Result, D, A, Id, E>;
  /** Validates, and may transform, each item. */
  itemSchema<N>(schema: Schema<N>): StreamTaskBuilder<I, N, Result, D, In, Id, E>;
  /** Validates, and may transform, what the body returns. */
  resultSchema<N>(schema: Schema<N>): StreamTaskBuilder<I, Item, N, D, In, Id, E>;
  throws<const T extends ThrowsList>(list: T): StreamTaskBuilder<I, Item, Result, D, In, Id, T[number]>;
  meta<M extends ITaskMeta>(meta: M): StreamTaskBuilder<I, Item, Result, D, In, Id, E>;
  build(): StreamTask<I, Item, Result, D, [In] extends [undefined | void] ? I : In, Id, E>;
}

/** Builder of a streamed task that another process runs. */
export interface PhantomStreamTaskBuilder<I, Item, Result> extends Unbuilt {
  readonly id: string;
  tags(tags: readonly TagType[], option?: ReplaceOption): PhantomStreamTaskBuilder<I, Item, Result>;
  middleware(
    middleware: readonly TaskMiddlewareAttachmentType[],
    option?: ReplaceOption,
  ): PhantomStreamTaskBuilder<I, Item, Result>;
  inputSchema<N>(schema: Schema<N>): PhantomStreamTaskBuilder<N, Item, Result>;
  itemSchema<N>(schema: Schema<N>): PhantomStreamTaskBuilder<I, N, Result>;
  resultSchema<N>(schema: Schema<N>): PhantomStreamTaskBuilder<I, Item, N>;
  throws(list: ThrowsList): PhantomStreamTaskBuilder<I, Item, Result>;
  meta<M extends ITaskMeta>(meta: M): PhantomStreamTaskBuilder<I, Item, Result>;
  build(): StreamTask<I, Item, Result, {}> & { readonly [symbolPhantomTask]: true };
}

/** Builder of a task that another process runs. */
export interface PhantomTaskBuilder<I, R> extends Unbuilt {
  readonly id: string;
  dependencies<N extends DependencyMap>(dependencies: N | (() => N), option?: ReplaceOption): PhantomTaskBuilder<I, R>;
  tags<T extends readonly TagType[]>(tags: T, option?: ReplaceOption): PhantomTaskBuilder<I, R>;
  middleware<T extends readonly TaskMiddlewareAttachmentType[]>(
    middleware: T,
    option?: ReplaceOption,
  ): PhantomTaskBuilder<I, R>;
  inputSchema<N>(schema: Schema<N>): PhantomTaskBuilder<N, R>;
  resultSchema<N>(schema: Schema<N>): PhantomTaskBuilder<I, N>;
  throws(list: ThrowsList): PhantomTaskBuilder<I, R>;
  meta<M extends ITaskMeta>(meta: M): PhantomTaskBuilder<I, R>;
  build(): IPhantomTask<I, R>;
}

/** A task as `task({ ... })` takes it: `D` are its dependencies as listed, `Deps` as received, `R` is what `run` returns. */
export interface TaskDefinition<
  I,
  O extends Promise<any>,
  D,
  Deps,
  R,
  Tags extends readonly TagType[],
  Mw extends readonly TaskMiddlewareAttachmentType[],
  Id extends string = string,
> {
  readonly id: Id;
  readonly dependencies?: Listed<D> | undefined;
  readonly middleware?: Mw | undefined;
  readonly tags?: Tags | undefined;
  readonly meta?: GivenMeta<ITaskMeta> | undefined;
  readonly inputSchema?: Schema<I> | undefined;
  readonly resultSchema?: Schema<Awaited<O>> | undefined;
  readonly throws?: ThrowsList | undefined;
  run(
    input: ResolveInput<I, Open<I>, readonly [...Tags, ...Mw], I>,
    dependencies: Deps,
    info: CallInfo,
  ): R & Promise<OutputBound<readonly [...Tags, ...Mw]>>;
}

/** Everything a task is made from, without its types. */
export interface TaskDraft {
  readonly id: string;
  readonly dependencies?: DependencySource | undefined;
  readonly middleware?: readonly TaskMiddlewareAttachmentType[] | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly meta?: GivenMeta<ITaskMeta> | undefined;
  readonly inputSchema?: Schema | undefined;
  readonly resultSchema?: Schema | undefined;
  readonly throws?: ThrowsList | undefined;
  readonly run?: ITask["run"] | undefined;
  readonly streams?: true | undefined;
  readonly itemSchema?: Schema | undefined;
}

export const isTask = (value: unknown): value is ITask => hasBrand(value, symbolTask);
export const isPhantomTask = (value: unknown): value is IPhantomTask => hasBrand(value, symbolPhantomTask);

/** A task builder that knows nothing but its id: `any` result until `.run` says. */
export type NewTaskBuilder<Id extends string = string> = TaskBuilder<
  undefined,
  Promise<any>,
  {},
  NoContracts,
  undefined,
  Id
>;

/** A result as it arrives: generators become what can be iterated. */
type Arriving<O extends Promise<any>> =
  O extends Promise<infer Result>
    ? IsAny<Result> extends true
      ? O
      : Result extends AsyncGenerator<infer Item, any, any>
        ? Promise<AsyncIterable<Item>>
        : O
    : O;

/** A task of another program as this one calls it, with the types that its definition has there. */
export type RemoteTask<T> = T extends { readonly $io?: readonly [any, ItemStream<any, any>] }
  ? T
  : T extends Task<any, infer O, any, infer In, infer Id, infer E>
    ? Task<In, Arriving<O>, {}, In, Id, E>
    : never;

/** What a remote task has on this side. */
export interface RemoteTaskOptions {
  /** As `globals.tags.idempotent`, or the policy of what middleware a tunnel keeps. */
  readonly tags?: readonly TagType[] | undefined;
  /** Runs here only as far as the tag of the policy keeps it. */
  readonly middleware?: readonly TaskMiddlewareAttachmentType[] | undefined;
  readonly meta?: ITaskMeta | undefined;
  /** A task that streams items has to say so, since only its type is here. */
  readonly streams?: true | undefined;
}

/** What `r.task.phantom` is. */
export interface PhantomTaskStarter {
  /** A result may be given as a promise as well, as `ExtractTaskOutput` of the real task is one. */
  <I = undefined, Result = any>(id: string): PhantomTaskBuilder<I, Awaited<Result>>; // `any` until stated
  /**
   * A task that another program runs, by the type it has there: `of<typeof Billing.charge>("billing.tasks.charge")`. It is
   * finished, there is nothing to build; a call that no tunnel routes fails with `taskNotRoutedError`.
   *
   * @param id checked and completed; a task whose annotation has lost its id is refused
   */
  of<T extends { readonly kind: "task" }>(
    id: [TaskIdOf<T>] extends [never] ? "the type of this task has no id: leave its annotation out" : TaskIdOf<T>,
    options?: RemoteTaskOptions,
  ): RemoteTask<T>;
  /** A phantom of a streamed task. */
  stream<I = undefined, Item = any, Result = void>(id: string): PhantomStreamTaskBuilder<I, Item, Result>; // as above
}

/** What `r.task` is: starts a task, or with `.phantom` a task without a body. */
export interface TaskBuilderWithPhantom {
  <Id extends string>(id: Id): NewTaskBuilder<Id>;
  readonly phantom: PhantomTaskStarter;
}

function startTask<Id extends string>(id: Id): NewTaskBuilder<Id> {
  assertId("task", id);
  return taskBuilderOf({ id }, captureFilePath(startTask)) as NewTaskBuilder<any>; // of this id
}

export const taskBuilder: TaskBuilderWithPhantom = /* @__PURE__ */ Object.assign(startTask, {
  phantom: /* @__PURE__ */ Object.assign(phantomTaskBuilder, {
    of: remoteTask,
    stream: phantomStreamBuilder,
  }) as PhantomTaskStarter,
});

/** Starts a task without a body; a tunnel routes its calls. The types exist only for the checker. */
function phantomTaskBuilder(id: string): unknown {
  assertId("task", id);
  return new PhantomDraftBuilder({ id }, captureFilePath(phantomTaskBuilder));
}

/** As above, of a streamed task. */
function phantomStreamBuilder(id: string): unknown {
  assertId("task", id);
  return new PhantomDraftBuilder({ id, streams: true }, captureFilePath(phantomStreamBuilder));
}

/** Makes a task that another program runs. */
export function remoteTask(id: string, options: RemoteTaskOptions = {}): ITask {
  assertId("task", id);
  const run = () => Promise.reject(taskNotRoutedError.create({ taskId: id }));
  return createTask({ ...options, id, run }, captureFilePath(remoteTask), true);
}

/** Makes a task from a definition object; everything is inferred from it. */
function taskFromDefinition<
  I = undefined,
  O extends Promise<any> = any,
  D extends DependencyMap = never,
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- source compatibility with type arguments of 5.x
  M = any,
  const Tags extends readonly TagType[] = readonly TagType[],
  const Mw extends readonly TaskMiddlewareAttachmentType[] = readonly TaskMiddlewareAttachmentType[],
  Id extends string = any,
>(
  definition: TaskDefinition<I, O, D, ReceivedBy<D, Id, InjectedMap<D>>, ReturnedBy<O, Id>, Tags, Mw, Id>,
): Task<I, O, ReceivedBy<D, Id, { [K in keyof D]: Injected<D[K]> }>> {
  assertId("task", definition.id);
  return createTask(definition, captureFilePath(taskFromDefinition)) as Task<I, O, any>; // as received
}

/** Makes a phantom task from a definition object. */
export function definePhantomTask<I = undefined, O extends Promise<any> = any>(
  definition: Omit<TaskDraft, "run">,
): IPhantomTask<I, Awaited<O>> {
  assertId("task", definition.id);
  return createPhantomTask(definition, captureFilePath(definePhantomTask));
}

/** `defineTask({ ... })`, and `defineTask.phantom({ ... })` without a body. */
export const defineTask = /* @__PURE__ */ Object.assign(taskFromDefinition, { phantom: definePhantomTask });

/**
 * What both builders share. A class, because an application makes several builders per task and the methods of a
 * prototype cost nothing each time.
 */
abstract class DraftBuilder<Builder> {
  readonly id: string;
  protected readonly draft: TaskDraft;
  protected readonly filePath: () => string;

  constructor(draft: TaskDraft, filePath: () => string) {
    this.id = draft.id;
    this.draft = draft;
    this.filePath = filePath;
    Object.freeze(this);
  }

  protected abstract with(patch: Partial<TaskDraft>): Builder;

  dependencies(added: DependencySource, option?: ReplaceOption): Builder {
    assertDependencies("Task", this.id, added);
    return this.with({ dependencies: mergeDependencies(this.draft.dependencies, added, option) });
  }

  tags(tags: readonly TagType[], option?: ReplaceOption): Builder {
    assertList("Task", this.id, "tags", tags);
    return this.with({ tags: appendTo(this.draft.tags, tags, option) });
  }

  middleware(middleware: readonly TaskMiddlewareAttachmentType[], option?: ReplaceOption): Builder {
    assertList("Task", this.id, "middleware", middleware);
    return this.with({ middleware: appendTo(this.draft.middleware, middleware, option) });
  }

  inputSchema(inputSchema: Schema): Builder {
    return this.with({ inputSchema });
  }

  resultSchema(resultSchema: Schema): Builder {
    return this.with({ resultSchema });
  }

  itemSchema(itemSchema: Schema): Builder {
    return this.with({ itemSchema });
  }

  throws(throws: ThrowsList): Builder {
    assertList("Task", this.id, "throws", throws);
    return this.with({ throws });
  }

  meta(meta: ITaskMeta): Builder {
    return this.with({ meta });
  }
}

class TaskDraftBuilder extends DraftBuilder<TaskDraftBuilder> {
  protected with(patch: Partial<TaskDraft>): TaskDraftBuilder {
    return new TaskDraftBuilder({ ...this.draft, ...patch }, this.filePath);
  }

  run(run: ITask["run"]): TaskDraftBuilder {
    assertFunction("Task", this.id, "run", run);
    return this.with({ run, streams: undefined });
  }

  stream(run: ITask["run"]): TaskDraftBuilder {
    assertFunction("Task", this.id, "stream", run);
    return this.with({ run, streams: true });
  }

  build(): ITask {
    return createTask(this.draft, this.filePath);
  }
}

class PhantomDraftBuilder extends DraftBuilder<PhantomDraftBuilder> {
  protected with(patch: Partial<TaskDraft>): PhantomDraftBuilder {
    return new PhantomDraftBuilder({ ...this.draft, ...patch }, this.filePath);
  }

  build(): IPhantomTask {
    return createPhantomTask(this.draft, this.filePath);
  }
}

/** @internal The builder over a draft; overrides start from one that is filled. */
export const taskBuilderOf = (draft: TaskDraft, filePath: () => string): NewTaskBuilder =>
  new TaskDraftBuilder(draft, filePath) as unknown as NewTaskBuilder; // the types exist only for the checker

/** @internal */
export function createTask(draft: TaskDraft, filePath: () => string, phantom = false): ITask {
  const { id, dependencies = {}, middleware = [], tags = [], meta = {}, inputSchema, resultSchema, run } = draft;
  if (typeof run !== "function") {
    throw builderIncompleteError.create({ type: "task", builderId: id, missingFields: ["run"] });
  }
  assertSchema("Task", id, "inputSchema", inputSchema);
  assertSchema("Task", id, "resultSchema", resultSchema);
  assertSchema("Task", id, "itemSchema", draft.itemSchema);
  const definition = {
    kind: "task",
    id,
    dependencies,
    middleware,
    tags,
    meta,
    inputSchema,
    resultSchema,
    throws: normalizeThrows("task", id, draft.throws),
    run,
    optional,
    [symbolTask]: true,
    ...(draft.streams && { streams: true, itemSchema: draft.itemSchema }),
  };
  withFilePath(definition, filePath);
  return Object.freeze(phantom ? Object.assign(definition, { [symbolPhantomTask]: true }) : definition) as ITask;
}

function createPhantomTask(draft: TaskDraft, filePath: () => string): IPhantomTask {
  return createTask({ ...draft, run: unrouted }, filePath, true) as IPhantomTask;
}

/** The body of every phantom task. */
const unrouted = (): Promise<undefined> => Promise.resolve(undefined);
