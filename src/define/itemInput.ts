import type { DependencyMap, Injected, IOptionalDependency, Unbuilt } from "../lib/injectable";
import type { ItemStream } from "../lib/itemStream";
import type { Schema, StatedOutput, StatedSchema } from "../lib/schema";
import type { symbolPhantomTask } from "../lib/symbols";
import type { ITaskMeta, TagType, TaskMiddlewareAttachmentType } from "./attachments";
import type { ReplaceOption } from "./builderLists";
import type { Carrying, ContractShape, FixedOutput, Resolved, RunBound, RunInput } from "./contracts";
import type { CallerFacts, CallInfo, GivenCallInfo, Interceptable, ITask, Task, TaskCallOptions } from "./task";
import type { ThrowsList } from "./throwsList";

/** Items as callers give them: each is asked for when the task, or the connection to it, has room for it. */
export type ItemsToSend<Item> = AsyncIterable<Item> | Iterable<Item>;

/** What a caller passes beside the input of a task that takes items. */
export interface ItemsOption<Item> {
  /**
   * The items. Once the call has ended, `return()` of their iterator is called, unless they were read to their end; what they
   * fail with, the call fails with.
   */
  readonly items: ItemsToSend<Item>;
}

/** The options of a call that sends items. */
export interface ItemCallOptions<Item> extends TaskCallOptions, ItemsOption<Item> {}

/** What a task that takes items learns about the call it serves. */
export interface ItemCallInfo<Item> extends CallInfo {
  /** The items of the caller, to be iterated once. Fails when they do, and once the call is aborted. */
  readonly items: AsyncIterable<Item>;
}

/** Such a task, as its dependants call it. */
export type ItemTaskCaller<In, Item, O> = [In] extends [undefined | void]
  ? (input: undefined, options: ItemCallOptions<Item>) => O
  : (input: In, options: ItemCallOptions<Item>) => O;

/**
 * A task that takes items from its callers, besides the input. Its type parameters are those of `Task`; `Item` is an item as
 * the body receives it, `ItemIn` as callers pass it. `O` is the promise of the result, or the stream that the task gives.
 */
export interface ItemInputTask<I, O, D, In, Id extends string, E, Item, ItemIn> extends Task<
  any,
  any,
  D,
  any,
  Id,
  E
> /* any: callers give more than of other tasks */ {
  // Of no other task: what is called without items is told from it by this.
  readonly takesItems: true;
  /** Validates, and may transform, each item of the caller. */
  readonly itemInputSchema?: Schema | undefined;
  // A method, as that of `Task`.
  run(input: I, dependencies: any, info?: GivenCallInfo & { readonly items: AsyncIterable<Item> }): any; // by the body
  optional(): IOptionalDependency<ITask<any, any>> & {
    readonly $injects?: readonly [(ItemTaskCaller<In, ItemIn, O> & CallerFacts<E>) | undefined];
  };
  readonly $io?: readonly [I, O];
  $in?(input: In): void;
  readonly $itemInput?: readonly [Item, ItemIn];
  readonly $injects?: readonly [ItemTaskCaller<In, ItemIn, O> & CallerFacts<E>];
  readonly $injectsInResource?: readonly [
    ItemTaskCaller<In, ItemIn, O> & CallerFacts<E> & Interceptable<I, Promise<unknown>>,
  ];
}

/** Such a task without a body. An interface, as `PhantomStreamTask` is. */
export interface PhantomItemInputTask<I, O, Item> extends ItemInputTask<I, O, {}, I, string, undefined, Item, Item> {
  readonly [symbolPhantomTask]: true;
}

/** Such a task that gives items as well: `Given`, and at their end `Result`. */
export interface ItemInputStreamTask<I, Given, Result, D, In, Id extends string, E, Item, ItemIn> extends ItemInputTask<
  I,
  ItemStream<Given, Result>,
  D,
  In,
  Id,
  E,
  Item,
  ItemIn
> {
  readonly streams?: true;
  /** As of a task that streams. */
  readonly $items?: readonly [Given, Result];
}

/** Whether a task takes items, and what validates them. */
export const takesItems = (task: ITask): task is ITask & Pick<AnyItemInputTask, "takesItems" | "itemInputSchema"> =>
  (task as Partial<AnyItemInputTask>).takesItems === true;

type AnyItemInputTask = ItemInputTask<any, any, any, any, string, any, any, any>; // any such task

/** The items that callers pass to a task; `never` for one that takes none. */
export type TaskItems<T> = T extends { readonly takesItems: true; readonly $itemInput?: readonly [any, infer ItemIn] }
  ? ItemIn
  : never;

/** Builder of a task that takes items: as `TaskBuilder`, the body finds them as `items` in its third argument. */
export interface ItemInputTaskBuilder<
  I,
  O extends Promise<any>,
  D extends object,
  S extends ContractShape,
  In,
  Id extends string,
  E,
  Item,
  ItemIn,
> extends Unbuilt {
  readonly id: Id;
  /** Adds dependencies; later keys win. `{ override: true }` replaces them. */
  dependencies<N extends DependencyMap>(
    dependencies: N | (() => N),
    option?: ReplaceOption,
  ): ItemInputTaskBuilder<I, O, D & { [K in keyof N]: Injected<N[K]> }, S, In, Id, E, Item, ItemIn>;
  /** Adds tags; `{ override: true }` replaces them. */
  tags<const T extends readonly TagType[]>(
    tags: T,
    option?: ReplaceOption,
  ): ItemInputTaskBuilder<
    I,
    O,
    D,
    Carrying<readonly [...S["tags"], ...T], S["middleware"], S["schema"]>,
    In,
    Id,
    E,
    Item,
    ItemIn
  >;
  /** Adds middleware, which sees the input, and none of the items. */
  middleware<const T extends readonly TaskMiddlewareAttachmentType[]>(
    middleware: T,
    option?: ReplaceOption,
  ): ItemInputTaskBuilder<
    I,
    O,
    D,
    Carrying<S["tags"], readonly [...S["middleware"], ...T], S["schema"]>,
    In,
    Id,
    E,
    Item,
    ItemIn
  >;
  /** Validates, and may transform, the input right before the body. */
  inputSchema<N, A>(schema: StatedSchema<N, A>): ItemInputTaskBuilder<N, O, D, S, A, Id, E, Item, ItemIn>;
  inputSchema<N, A = N>(schema: Schema<N, A>): ItemInputTaskBuilder<N, O, D, S, A, Id, E, Item, ItemIn>;
  /** Validates, and may transform, what the body resolves to. */
  resultSchema<R>(
    schema: StatedOutput<R>,
  ): ItemInputTaskBuilder<I, Promise<R>, D, FixedOutput<S>, In, Id, E, Item, ItemIn>;
  resultSchema<R>(schema: Schema<R>): ItemInputTaskBuilder<I, Promise<R>, D, FixedOutput<S>, In, Id, E, Item, ItemIn>;
  /** Errors it may throw, as helpers or ids. Replaces the list. */
  throws<const T extends ThrowsList>(list: T): ItemInputTaskBuilder<I, O, D, S, In, Id, T[number], Item, ItemIn>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta(meta: ITaskMeta): ItemInputTaskBuilder<I, O, D, S, In, Id, E, Item, ItemIn>;
  /** The body. Without a schema, the input's type is the parameter's annotation. */
  run<A = I, R extends RunBound<O, S> = RunBound<O, S>>(
    run: (input: RunInput<I, S, A>, dependencies: D, info: ItemCallInfo<Item>) => Promise<Resolved<S, R>>,
  ): ItemInputTaskBuilder<RunInput<I, S, A>, S["schema"] extends true ? O : Promise<R>, D, S, In, Id, E, Item, ItemIn>;
  /** The body of a task that gives items as well, instead of `.run`. */
  stream<A = I, Given = any, Result = void>(
    body: (input: RunInput<I, S, A>, dependencies: D, info: ItemCallInfo<Item>) => AsyncGenerator<Given, Result, any>,
  ): ItemInputStreamBuilder<RunInput<I, S, A>, Given, Result, D, In, Id, E, Item, ItemIn>;
  /** @throws {builderIncompleteError} `.run` is missing */
  build(): ItemInputTask<I, O, D, [In] extends [undefined | void] ? I : In, Id, E, Item, ItemIn>;
}

/** Builder of a task that takes items and gives some: `Given`, and at their end `Result`. */
export interface ItemInputStreamBuilder<I, Given, Result, D, In, Id extends string, E, Item, ItemIn> extends Unbuilt {
  readonly id: Id;
  /** Adds tags; `{ override: true }` replaces them. */
  tags(
    tags: readonly TagType[],
    option?: ReplaceOption,
  ): ItemInputStreamBuilder<I, Given, Result, D, In, Id, E, Item, ItemIn>;
  /** Adds middleware; the first one is outermost. `{ override: true }` replaces it. */
  middleware(
    middleware: readonly TaskMiddlewareAttachmentType[],
    option?: ReplaceOption,
  ): ItemInputStreamBuilder<I, Given, Result, D, In, Id, E, Item, ItemIn>;
  /** Validates, and may transform, each item that the task gives. */
  itemSchema<N>(schema: Schema<N>): ItemInputStreamBuilder<I, N, Result, D, In, Id, E, Item, ItemIn>;
  /** Validates, and may transform, what the body returns. */
  resultSchema<N>(schema: Schema<N>): ItemInputStreamBuilder<I, Given, N, D, In, Id, E, Item, ItemIn>;
  /** Errors it may throw, as helpers or ids. Replaces the list. */
  throws<const T extends ThrowsList>(
    list: T,
  ): ItemInputStreamBuilder<I, Given, Result, D, In, Id, T[number], Item, ItemIn>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta(meta: ITaskMeta): ItemInputStreamBuilder<I, Given, Result, D, In, Id, E, Item, ItemIn>;
  /** Gives the finished definition, which is frozen. */
  build(): ItemInputStreamTask<I, Given, Result, D, [In] extends [undefined | void] ? I : In, Id, E, Item, ItemIn>;
}

/** Builder of a task that takes items and that another process runs; `O` is what its calls give. */
export interface PhantomItemInputBuilder<I, O, Item> extends Unbuilt {
  readonly id: string;
  /** Adds tags; `{ override: true }` replaces them. */
  tags(tags: readonly TagType[], option?: ReplaceOption): PhantomItemInputBuilder<I, O, Item>;
  /** Adds middleware; the first one is outermost. `{ override: true }` replaces it. */
  middleware(
    middleware: readonly TaskMiddlewareAttachmentType[],
    option?: ReplaceOption,
  ): PhantomItemInputBuilder<I, O, Item>;
  /** Errors it may throw, as helpers or ids. Replaces the list. */
  throws(list: ThrowsList): PhantomItemInputBuilder<I, O, Item>;
  /** What it is about, for people and tools. Replaces what was given before. */
  meta(meta: ITaskMeta): PhantomItemInputBuilder<I, O, Item>;
  /** Gives the finished definition, which is frozen. */
  build(): PhantomItemInputTask<I, O, Item>;
}
