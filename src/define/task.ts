import type { IdSlot } from "../lib/idSlot";
import type { Injectable, InjectedOf, IOptionalDependency } from "../lib/injectable";
import type { ItemStream } from "../lib/itemStream";
import type { Schema } from "../lib/schema";
import { symbolFilePath, symbolPhantomTask, symbolTask, symbolTunneledBy } from "../lib/symbols";
import type { IsAny, Unaliased } from "../lib/typeLevel";
import type { ITaskMeta, TagType, TaskMiddlewareAttachmentType } from "./attachments";
import { hasBrand } from "./brand";
import type { ListedDependencies } from "./builderLists";
import type { ExecutionJournal } from "./journal";
import type { ErrorSlot } from "./throwsList";

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
  /**
   * Has the call happen once, however often it is made with this key, here or in another process: 1 to 200 visible ASCII
   * characters. Beside an input, as `timeoutMs`. Default: what `globals.tags.idempotent` makes of the input, which ranks above.
   *
   * @throws {idempotencyUnsupportedError} (as a rejection) it is no key, or the task streams or takes items
   * @see readmes/IDEMPOTENCY.md
   */
  idempotencyKey?: string | undefined;
}

/** A task as its dependants call it. */
export type TaskCaller<I, O> = [I] extends [undefined | void]
  ? IsAny<I> extends true
    ? AnyTaskCaller<O>["call"]
    : { (options?: TaskCallOptions): O; (input: undefined | void, options?: TaskCallOptions): O }
  : (input: I, options?: TaskCallOptions) => O;

/** An `any` task takes anything. A method, so that callers which demand more options are callers of such a task as well. */
interface AnyTaskCaller<O> {
  call(input?: any, options?: TaskCallOptions): O;
}

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

/** What resources can do with a task beside calling it. */
export interface Interceptable<I, O> {
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
    readonly $injects?: readonly [(TaskCaller<In, ItemStream<Item, Result>> & CallerFacts<E>) | undefined];
  };
  readonly $io?: readonly [I, ItemStream<Item, Result>];
  /** By this key, which no other task has, its type is told from theirs. */
  readonly $items?: readonly [Item, Result];
  readonly $injects?: readonly [TaskCaller<In, ItemStream<Item, Result>> & CallerFacts<E>];
  readonly $injectsInResource?: readonly [
    TaskCaller<In, ItemStream<Item, Result>> & CallerFacts<E> & Interceptable<I, Promise<unknown>>,
  ];
}

/** A streamed task without a body. An interface, because compilers cannot write down its symbol in the declarations of users. */
export interface PhantomStreamTask<I, Item, Result> extends StreamTask<I, Item, Result, {}> {
  readonly [symbolPhantomTask]: true;
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

/** A task, whatever its types. */
export type AnyTask = ITask;

/** The input as `run` receives it. What callers pass may differ, see `TaskInput`. */
export type ExtractTaskInput<T> = T extends { readonly $io?: readonly [infer I, any] } ? I : never;
/** What callers pass: the schema's input, whose defaults may be left out. */
export type TaskInput<T> = T extends { $in?(input: infer In): void } ? In : never;
/** The promise type of a task's result. */
export type ExtractTaskOutput<T> = T extends { readonly $io?: readonly [any, infer O] } ? O : never;

export const isTask = (value: unknown): value is ITask => hasBrand(value, symbolTask);
export const isPhantomTask = (value: unknown): value is IPhantomTask => hasBrand(value, symbolPhantomTask);
