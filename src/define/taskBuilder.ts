import type { DependencyMap, Injected, Listed, Unbuilt } from "../lib/injectable";
import type { ItemStream } from "../lib/itemStream";
import type { Schema, StatedOutput, StatedSchema } from "../lib/schema";
import type { IsAny, Open } from "../lib/typeLevel";
import type { GivenMeta, ITaskMeta, TagType, TaskMiddlewareAttachmentType } from "./attachments";
import type { ReplaceOption } from "./builderLists";
import type {
  Carrying,
  ContractShape,
  FixedOutput,
  NoContracts,
  OutputBound,
  Resolved,
  ResolveInput,
  RunBound,
  RunInput,
} from "./contracts";
import type { ItemInputTaskBuilder, PhantomItemInputBuilder } from "./itemInput";
import type { TaskIdOf } from "./remote";
import type { CallInfo, IPhantomTask, PhantomStreamTask, StreamTask, Task } from "./task";
import type { ThrowsList } from "./throwsList";

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
  /** What it is about, for people and tools. Replaces what was given before. */
  meta<M extends ITaskMeta>(meta: M): TaskBuilder<I, O, D, S, In, Id, E>;
  /**
   * The task takes items from its callers, besides the input: they pass `{ items }`, and the body reads the same from its third
   * argument. A schema validates, and may transform, each of them.
   */
  itemInput<Item>(): ItemInputTaskBuilder<I, O, D, S, In, Id, E, Item, Item>;
  itemInput<N, A>(schema: StatedSchema<N, A>): ItemInputTaskBuilder<I, O, D, S, In, Id, E, N, A>;
  itemInput<N, A = N>(schema: Schema<N, A>): ItemInputTaskBuilder<I, O, D, S, In, Id, E, N, A>;
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
  /** Adds tags; `{ override: true }` replaces them. */
  tags(tags: readonly TagType[], option?: ReplaceOption): StreamTaskBuilder<I, Item, Result, D, In, Id, E>;
  /** Adds middleware, which sees the call until the first item is there. */
  middleware(
    middleware: readonly TaskMiddlewareAttachmentType[],
    option?: ReplaceOption,
  ): StreamTaskBuilder<I, Item, Result, D, In, Id, E>;
  /** Validates, and may transform, the input right before the body. */
  inputSchema<N, A = N>(schema: Schema<N, A>): StreamTaskBuilder<N, Item, Result, D, A, Id, E>;
  /** Validates, and may transform, each item. */
  itemSchema<N>(schema: Schema<N>): StreamTaskBuilder<I, N, Result, D, In, Id, E>;
  /** Validates, and may transform, what the body returns. */
  resultSchema<N>(schema: Schema<N>): StreamTaskBuilder<I, Item, N, D, In, Id, E>;
  /** Errors it may throw, as helpers or ids. Replaces the list. */
  throws<const T extends ThrowsList>(list: T): StreamTaskBuilder<I, Item, Result, D, In, Id, T[number]>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta<M extends ITaskMeta>(meta: M): StreamTaskBuilder<I, Item, Result, D, In, Id, E>;
  /** Gives the finished definition, which is frozen. */
  build(): StreamTask<I, Item, Result, D, [In] extends [undefined | void] ? I : In, Id, E>;
}

/** Builder of a streamed task that another process runs. */
export interface PhantomStreamTaskBuilder<I, Item, Result> extends Unbuilt {
  readonly id: string;
  /** Adds tags; `{ override: true }` replaces them. */
  tags(tags: readonly TagType[], option?: ReplaceOption): PhantomStreamTaskBuilder<I, Item, Result>;
  /** Adds middleware; the first one is outermost. `{ override: true }` replaces it. */
  middleware(
    middleware: readonly TaskMiddlewareAttachmentType[],
    option?: ReplaceOption,
  ): PhantomStreamTaskBuilder<I, Item, Result>;
  /** Validates, and may transform, the input on the caller's side, before the call: callers give what it accepts. */
  inputSchema<N, A>(schema: StatedSchema<N, A>): PhantomStreamTaskBuilder<A, Item, Result>;
  inputSchema<N, A = N>(schema: Schema<N, A>): PhantomStreamTaskBuilder<A, Item, Result>;
  /** Validates, and may transform, each item. */
  itemSchema<N>(schema: Schema<N>): PhantomStreamTaskBuilder<I, N, Result>;
  /** It takes items besides the input; said last. */
  itemInput<Sent>(): PhantomItemInputBuilder<I, ItemStream<Item, Result>, Sent>;
  itemInput<N, A>(schema: StatedSchema<N, A>): PhantomItemInputBuilder<I, ItemStream<Item, Result>, A>;
  itemInput<N, A = N>(schema: Schema<N, A>): PhantomItemInputBuilder<I, ItemStream<Item, Result>, A>;
  /** Validates, and may transform, what the body resolves to. */
  resultSchema<N>(schema: Schema<N>): PhantomStreamTaskBuilder<I, Item, N>;
  /** Errors it may throw, as helpers or ids. Replaces the list. */
  throws(list: ThrowsList): PhantomStreamTaskBuilder<I, Item, Result>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta<M extends ITaskMeta>(meta: M): PhantomStreamTaskBuilder<I, Item, Result>;
  /** Gives the finished definition, which is frozen. */
  build(): PhantomStreamTask<I, Item, Result>;
}

/** Builder of a task that another process runs. */
export interface PhantomTaskBuilder<I, R> extends Unbuilt {
  readonly id: string;
  /** Adds dependencies; later keys win. `{ override: true }` replaces them. */
  dependencies<N extends DependencyMap>(dependencies: N | (() => N), option?: ReplaceOption): PhantomTaskBuilder<I, R>;
  /** Adds tags; `{ override: true }` replaces them. */
  tags<T extends readonly TagType[]>(tags: T, option?: ReplaceOption): PhantomTaskBuilder<I, R>;
  /** Adds middleware; the first one is outermost. `{ override: true }` replaces it. */
  middleware<T extends readonly TaskMiddlewareAttachmentType[]>(
    middleware: T,
    option?: ReplaceOption,
  ): PhantomTaskBuilder<I, R>;
  /** Validates, and may transform, the input on the caller's side, before the call: callers give what it accepts. */
  inputSchema<N, A>(schema: StatedSchema<N, A>): PhantomTaskBuilder<A, R>;
  inputSchema<N, A = N>(schema: Schema<N, A>): PhantomTaskBuilder<A, R>;
  /** Validates, and may transform, what the body resolves to. */
  resultSchema<N>(schema: Schema<N>): PhantomTaskBuilder<I, N>;
  /** It takes items besides the input; said last. */
  itemInput<Item>(): PhantomItemInputBuilder<I, Promise<R>, Item>;
  itemInput<N, A>(schema: StatedSchema<N, A>): PhantomItemInputBuilder<I, Promise<R>, A>;
  itemInput<N, A = N>(schema: Schema<N, A>): PhantomItemInputBuilder<I, Promise<R>, A>;
  /** Errors it may throw, as helpers or ids. Replaces the list. */
  throws(list: ThrowsList): PhantomTaskBuilder<I, R>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta<M extends ITaskMeta>(meta: M): PhantomTaskBuilder<I, R>;
  /** Gives the finished definition, which is frozen. */
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
  /** What the body receives, by the names it knows it by. */
  readonly dependencies?: Listed<D> | undefined;
  /** The first one is outermost. */
  readonly middleware?: Mw | undefined;
  readonly tags?: Tags | undefined;
  readonly meta?: GivenMeta<ITaskMeta> | undefined;
  /** Validates, and may transform, the input right before the body. */
  readonly inputSchema?: Schema<I> | undefined;
  /** Validates, and may transform, what the body resolves to. */
  readonly resultSchema?: Schema<Awaited<O>> | undefined;
  /** Errors it may throw, as helpers or ids: callers know their types, nothing is enforced. */
  readonly throws?: ThrowsList | undefined;
  run(
    input: ResolveInput<I, Open<I>, readonly [...Tags, ...Mw], I>,
    dependencies: Deps,
    info: CallInfo,
  ): R & Promise<OutputBound<readonly [...Tags, ...Mw]>>;
}

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
export type Arrived<Result> =
  IsAny<Result> extends true
    ? Result
    : Result extends AsyncGenerator<infer Item, any, any>
      ? AsyncIterable<Item>
      : Result;
type Arriving<O extends Promise<any>> = O extends Promise<infer Result> ? Promise<Arrived<Result>> : O;

/** A task of another program as this one calls it, with the types that its definition has there. */
export type RemoteTask<T> = "takesItems" extends keyof T
  ? T
  : "$items" extends keyof T
    ? T extends StreamTask<any, infer Item, infer Result, any, infer In, infer Id, infer E>
      ? StreamTask<In, Item, Result, {}, In, Id, E>
      : never
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
  /** Given, and required, for a task that streams items: only its type is here, which nothing reads when the program runs. */
  readonly streams?: true | undefined;
  /** So has one that takes items, where this process serves it to others in turn. */
  readonly takesItems?: true | undefined;
}

/** The options of a task by its type: a task that streams cannot be taken for one that does not, nor the other way round. */
type RemoteOptionsOf<T> = "$items" extends keyof T
  ? [options: RemoteTaskOptions & { readonly streams: true }]
  : [options?: RemoteTaskOptions & { readonly streams?: undefined }];

/** What `r.task.phantom` is. */
export interface PhantomTaskStarter {
  /** A result may be given as a promise as well, as `ExtractTaskOutput` of the real task is one. */
  <I = undefined, Result = any>(id: string): PhantomTaskBuilder<I, Awaited<Result>>; // `any` until stated
  /**
   * A task that another program runs, by the type it has there: `of<typeof Billing.charge>("billing.tasks.charge")`. It is
   * finished, there is nothing to build; a call that no tunnel routes fails with `taskNotRoutedError`.
   *
   * @param id checked and completed; a task whose annotation has lost its id is refused
   * @param options required for a task that streams items: `{ streams: true }`
   */
  of<T extends { readonly kind: "task" }>(
    id: [TaskIdOf<T>] extends [never] ? "the type of this task has no id: leave its annotation out" : TaskIdOf<T>,
    ...options: RemoteOptionsOf<T>
  ): RemoteTask<T>;
  /** A phantom of a streamed task. */
  stream<I = undefined, Item = any, Result = void>(id: string): PhantomStreamTaskBuilder<I, Item, Result>; // as above
}

/** What `r.task` is: starts a task, or with `.phantom` a task without a body. */
export interface TaskBuilderWithPhantom {
  <Id extends string>(id: Id): NewTaskBuilder<Id>;
  /** Starts a task that another process runs. */
  readonly phantom: PhantomTaskStarter;
}
