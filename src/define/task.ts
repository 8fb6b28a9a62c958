import { builderIncompleteError } from "../errors/bootErrors";
import { captureFilePath } from "../lib/filePath";
import {
  optional,
  type DependencyMap,
  type Injectable,
  type InjectedMap,
  type IOptionalDependency,
} from "../lib/injectable";
import type { Schema } from "../lib/schema";
import { symbolFilePath, symbolPhantomTask, symbolTask, symbolTunneledBy } from "../lib/symbols";
import type { InferOnly, IsAny, Open, With } from "../lib/typeLevel";
import type { ITaskMeta, TagType, TaskMiddlewareAttachmentType } from "./attachments";
import { assertDependencies, assertFunction, assertList } from "./assertArguments";
import { assertSchema } from "./assertSchema";
import { assertId, hasBrand } from "./brand";
import { appendTo, mergeDependencies, type DependencySource, type ReplaceOption } from "./builderLists";
import type {
  Bound,
  CarryContracts,
  ContractShape,
  ItemsOf,
  NoContracts,
  OutputBound,
  Resolved,
  ResolveInput,
} from "./contracts";
import type { ExecutionJournal } from "./journal";
import { normalizeThrows, type ThrowsList } from "./throwsList";

/** What a task learns about the call it serves. */
export interface CallInfo {
  /** Shared by everything that takes part in this execution. */
  readonly journal: ExecutionJournal;
  /** Aborts with the signal of the caller; never, when the caller gave none. */
  readonly signal: AbortSignal;
}

/** What a caller may pass beside the input. */
export interface TaskCallOptions {
  /** Forwarded instead of a fresh journal. */
  journal?: ExecutionJournal | undefined;
  /** Reaches the task as `signal`, and the tasks it calls in turn. */
  signal?: AbortSignal | undefined;
}

interface CallableWithoutInput<O> {
  (options?: TaskCallOptions): O;
  (input: undefined | void, options?: TaskCallOptions): O;
}

/** A task as its dependants call it. */
export type TaskCaller<I, O> =
  Open<I> extends true
    ? IsAny<I> extends true
      ? (input?: any, options?: TaskCallOptions) => O // an `any` task takes anything
      : CallableWithoutInput<O>
    : (input: I, options?: TaskCallOptions) => O;

/** Wraps a task from inside a resource; first added is outermost. */
export type TaskLocalInterceptor<I, O> = (next: (input: I) => O, input: I) => O;

/** What tasks, hooks and middleware receive for a task dependency. */
export type TaskDependency<I, O> = TaskCaller<I, O> & { readonly id: string };

/** What resources receive for a task dependency. */
export type TaskDependencyWithIntercept<I, O> = TaskDependency<I, O> & {
  /** @throws {Error} the container is ready and no longer changes */
  intercept(interceptor: TaskLocalInterceptor<I, O>): void;
};

/* eslint-disable @typescript-eslint/no-unused-vars -- source compatibility, see below */
/**
 * An async function with dependencies, middleware and schemas.
 *
 * `I` is the input, `O` the promise of the result. The other parameters exist for annotations written against 5.x.
 */
export interface ITask<
  I = any,
  O extends Promise<any> = any,
  D = any,
  M = any,
  Tags = any,
  Mw = any,
> extends Injectable {
  /* eslint-enable @typescript-eslint/no-unused-vars */
  readonly kind: "task";
  readonly id: string;
  readonly meta: ITaskMeta;
  readonly dependencies: DependencySource;
  readonly middleware: readonly TaskMiddlewareAttachmentType[];
  readonly tags: readonly TagType[];
  readonly inputSchema?: Schema | undefined;
  readonly resultSchema?: Schema | undefined;
  /** Ids of errors it says it may throw; documentation only. */
  readonly throws?: readonly string[] | undefined;
  /** On the store's view of a task that a tunnel routes. */
  readonly isTunneled?: boolean;
  readonly [symbolTask]: true;
  readonly [symbolFilePath]: string;
  readonly [symbolPhantomTask]?: true;
  readonly [symbolTunneledBy]?: string;
  // A method, so that parameters are bivariant and `ITask<any>` is a supertype of every task.
  run(input: I, dependencies: any, info?: CallInfo): O;
  optional(): IOptionalDependency<ITask<I, O>>;
  readonly $io?: readonly [I, O];
  readonly $injects?: readonly [TaskDependency<I, O>];
  readonly $injectsInResource?: readonly [TaskDependencyWithIntercept<I, O>];
}

/** A task without a body, to be routed by a tunnel. */
export type IPhantomTask<I = any, Result = any> = ITask<I, Promise<Result>> & { readonly [symbolPhantomTask]: true };

export type AnyTask = ITask;

export type ExtractTaskInput<T> = T extends { readonly $io?: readonly [infer I, any] } ? I : never;
/** The promise type of a task's result. */
export type ExtractTaskOutput<T> = T extends { readonly $io?: readonly [any, infer O] } ? O : never;

/** Type state of a task builder; `output` is the awaited result. */
export interface TaskShape extends ContractShape {
  input: unknown;
  output: unknown;
  deps: object;
}

/** Type state of `r.task(id)`. */
export interface NewTaskShape extends NoContracts {
  input: undefined;
  output: any; // unknown until `.run` says
  deps: {};
}

/** The input of `run`: schema first, then contracts, then the callback's own annotation. */
export type RunInput<S extends TaskShape, I> = [S["needs"]] extends [never]
  ? Open<S["input"]> extends true
    ? I
    : S["input"]
  : ResolveInput<S["input"], Open<S["input"]>, ItemsOf<S>, I>;

/** What `run` may resolve to. */
export type RunBound<S extends TaskShape> = [S["gives"]] extends [never]
  ? S["schema"] extends true
    ? S["output"]
    : any // nothing bounds the result
  : Bound<ItemsOf<S>, S["schema"], S["output"]>;

/** Fluent form of a task definition; every method returns a new builder. */
export interface TaskFluentBuilder<S extends TaskShape = NewTaskShape> {
  readonly id: string;
  /** Adds dependencies; later keys win. */
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option?: { override?: false },
  ): TaskFluentBuilder<With<S, { deps: S["deps"] & N }>>;
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option: { override: true },
  ): TaskFluentBuilder<With<S, { deps: N }>>;
  /** Adds tags. */
  tags<const T extends readonly TagType[]>(
    tags: T,
    option?: { override?: false },
  ): TaskFluentBuilder<CarryContracts<S, readonly [...S["tags"], ...T], S["middleware"]>>;
  tags<const T extends readonly TagType[]>(
    tags: T,
    option: { override: true },
  ): TaskFluentBuilder<CarryContracts<S, T, S["middleware"]>>;
  /** Adds middleware; the first one is outermost. */
  middleware<const T extends readonly TaskMiddlewareAttachmentType[]>(
    middleware: T,
    option?: { override?: false },
  ): TaskFluentBuilder<CarryContracts<S, S["tags"], readonly [...S["middleware"], ...T]>>;
  middleware<const T extends readonly TaskMiddlewareAttachmentType[]>(
    middleware: T,
    option: { override: true },
  ): TaskFluentBuilder<CarryContracts<S, S["tags"], T>>;
  /** Validates, and may transform, the input right before `run`. */
  inputSchema<I>(schema: Schema<I>): TaskFluentBuilder<With<S, { input: I }>>;
  /** Validates, and may transform, what `run` resolves to. */
  resultSchema<R>(schema: Schema<R>): TaskFluentBuilder<With<S, { output: R; schema: true }>>;
  /** Errors it may throw, as helpers or ids; documentation only. Replaces the list. */
  throws(list: ThrowsList): TaskFluentBuilder<S>;
  meta(meta: ITaskMeta): TaskFluentBuilder<S>;
  /** The body. Without a schema, the input's type is the parameter's annotation. */
  run<I = undefined, O extends RunBound<S> = RunBound<S>>(
    run: (input: RunInput<S, I>, dependencies: InjectedMap<S["deps"]>, info: CallInfo) => Promise<Resolved<S, O>>,
  ): TaskFluentBuilder<With<S, { input: RunInput<S, I>; output: S["schema"] extends true ? S["output"] : O }>>;
  /** @throws {builderIncompleteError} `.run` is missing */
  build(): ITask<S["input"], Promise<S["output"]>>;
}

/** Builder of a task that another process runs. */
export interface PhantomTaskFluentBuilder<I = undefined, Result = any> {
  readonly id: string;
  dependencies(
    dependencies: DependencyMap | (() => DependencyMap),
    option?: ReplaceOption,
  ): PhantomTaskFluentBuilder<I, Result>;
  tags(tags: readonly TagType[], option?: ReplaceOption): PhantomTaskFluentBuilder<I, Result>;
  middleware(
    middleware: readonly TaskMiddlewareAttachmentType[],
    option?: ReplaceOption,
  ): PhantomTaskFluentBuilder<I, Result>;
  inputSchema<N>(schema: Schema<N>): PhantomTaskFluentBuilder<N, Result>;
  resultSchema<N>(schema: Schema<N>): PhantomTaskFluentBuilder<I, N>;
  throws(list: ThrowsList): PhantomTaskFluentBuilder<I, Result>;
  meta(meta: ITaskMeta): PhantomTaskFluentBuilder<I, Result>;
  build(): IPhantomTask<I, Result>;
}

/** A task as `task({ ... })` takes it. */
export interface ITaskDefinition<
  I = any,
  O extends Promise<any> = any,
  D extends DependencyMap = any,
  Tags extends readonly TagType[] = readonly TagType[],
  Mw extends readonly TaskMiddlewareAttachmentType[] = readonly TaskMiddlewareAttachmentType[],
> {
  readonly id: string;
  readonly dependencies?: D | (() => D) | undefined;
  readonly middleware?: Mw | undefined;
  readonly tags?: Tags | undefined;
  readonly meta?: ITaskMeta | undefined;
  readonly inputSchema?: Schema<I> | undefined;
  readonly resultSchema?: Schema<Awaited<O>> | undefined;
  readonly throws?: ThrowsList | undefined;
  run(
    input: ResolveInput<I, Open<I>, readonly [...Tags, ...Mw], I>,
    dependencies: InjectedMap<D>,
    info: CallInfo,
  ): InferOnly<O> & Promise<OutputBound<readonly [...Tags, ...Mw]>>;
}

/** Everything a task is made from, without its types. */
export interface TaskDraft {
  readonly id: string;
  readonly dependencies?: DependencySource | undefined;
  readonly middleware?: readonly TaskMiddlewareAttachmentType[] | undefined;
  readonly tags?: readonly TagType[] | undefined;
  readonly meta?: ITaskMeta | undefined;
  readonly inputSchema?: Schema | undefined;
  readonly resultSchema?: Schema | undefined;
  readonly throws?: ThrowsList | undefined;
  readonly run?: ITask["run"] | undefined;
}

export const isTask = (value: unknown): value is ITask => hasBrand(value, symbolTask);
export const isPhantomTask = (value: unknown): value is IPhantomTask => hasBrand(value, symbolPhantomTask);

/** What `r.task` is: starts a task, or with `.phantom` a task without a body. */
export interface TaskBuilderWithPhantom {
  (id: string): TaskFluentBuilder;
  phantom: <I = undefined, Result = any>(id: string) => PhantomTaskFluentBuilder<I, Result>; // `any` until stated
}

function startTask(id: string): TaskFluentBuilder {
  assertId("task", id);
  return taskBuilderOf({ id }, captureFilePath(startTask));
}

export const taskBuilder: TaskBuilderWithPhantom = /* @__PURE__ */ Object.assign(startTask, {
  phantom: phantomTaskBuilder,
});

/** Starts a task without a body; a tunnel routes its calls. */
export function phantomTaskBuilder<I = undefined, Result = any>(id: string): PhantomTaskFluentBuilder<I, Result> {
  assertId("task", id);
  return new PhantomTaskBuilder({ id }, captureFilePath(phantomTaskBuilder)) as PhantomTaskFluentBuilder<I, Result>;
}

/** Makes a task from a definition object; everything is inferred from it. */
function taskFromDefinition<
  I = undefined,
  O extends Promise<any> = any,
  D extends DependencyMap = {},
  M = any,
  const Tags extends readonly TagType[] = [],
  const Mw extends readonly TaskMiddlewareAttachmentType[] = [],
>(definition: ITaskDefinition<I, O, D, Tags, Mw>): ITask<I, O, D, M, Tags, Mw> {
  assertId("task", definition.id);
  return createTask(definition, captureFilePath(taskFromDefinition));
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

  throws(throws: ThrowsList): Builder {
    assertList("Task", this.id, "throws", throws);
    return this.with({ throws });
  }

  meta(meta: ITaskMeta): Builder {
    return this.with({ meta });
  }
}

class TaskBuilder extends DraftBuilder<TaskBuilder> {
  protected with(patch: Partial<TaskDraft>): TaskBuilder {
    return new TaskBuilder({ ...this.draft, ...patch }, this.filePath);
  }

  run(run: ITask["run"]): TaskBuilder {
    assertFunction("Task", this.id, "run", run);
    return this.with({ run });
  }

  build(): ITask {
    return createTask(this.draft, this.filePath);
  }
}

class PhantomTaskBuilder extends DraftBuilder<PhantomTaskBuilder> {
  protected with(patch: Partial<TaskDraft>): PhantomTaskBuilder {
    return new PhantomTaskBuilder({ ...this.draft, ...patch }, this.filePath);
  }

  build(): IPhantomTask {
    return createPhantomTask(this.draft, this.filePath);
  }
}

/** @internal The builder over a draft; overrides start from one that is filled. */
export const taskBuilderOf = (draft: TaskDraft, filePath: () => string): TaskFluentBuilder<any> =>
  new TaskBuilder(draft, filePath) as unknown as TaskFluentBuilder<any>; // the shape exists only for the checker

/** @internal */
export function createTask(draft: TaskDraft, filePath: () => string, phantom = false): ITask {
  const { id, dependencies = {}, middleware = [], tags = [], meta = {}, inputSchema, resultSchema, run } = draft;
  if (typeof run !== "function") {
    throw builderIncompleteError.create({ type: "task", builderId: id, missingFields: ["run"] });
  }
  assertSchema("Task", id, "inputSchema", inputSchema);
  assertSchema("Task", id, "resultSchema", resultSchema);
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
    get [symbolFilePath]() {
      return filePath();
    },
  };
  return Object.freeze(phantom ? Object.assign(definition, { [symbolPhantomTask]: true }) : definition) as ITask;
}

function createPhantomTask(draft: TaskDraft, filePath: () => string): IPhantomTask {
  return createTask({ ...draft, run: unrouted }, filePath, true) as IPhantomTask;
}

/** The body of every phantom task. */
const unrouted = (): Promise<undefined> => Promise.resolve(undefined);
