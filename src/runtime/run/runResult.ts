import type { EventReference } from "../../define/event";
import type { ExtractResourceConfig, ExtractResourceValue } from "../../define/resource";
import type { ItemCallOptions, TaskItems } from "../../define/itemInput";
import type { HeardOf, SubscribableEvent, SubscribeOptions, Subscription } from "../../define/subscription";
import type { ExtractTaskOutput, TaskCallOptions, TaskInput } from "../../define/task";
import type { ItemStream } from "../../lib/itemStream";
import type { IsAny, NotInferred } from "../../lib/typeLevel";
import type { Store } from "./store";
import type { Topology } from "./topology";

/** Arguments of a task call: the input may be left out only where it is void. */
export type RunTaskArgs<I> =
  IsAny<I> extends true
    ? [input?: any, options?: TaskCallOptions] // an `any` task takes anything
    : [I] extends [undefined | void]
      ? [input?: undefined, options?: TaskCallOptions]
      : [input: I, options?: TaskCallOptions];

/** The same for a task: items are required of one that takes some. */
export type RunTaskArgsOf<T> = T extends { readonly takesItems: true }
  ? [input: TaskInput<T>, options: ItemCallOptions<TaskItems<T>>]
  : RunTaskArgs<TaskInputOf<T>>;

/** The input of a task, or `any` for an id, which has no types. */
export type TaskInputOf<T> = T extends string ? any : TaskInput<T>; // as said above
/** What a task resolves to, or `any` for an id, which has no types. */
export type TaskResultOf<T> = T extends string ? any : Awaited<ExtractTaskOutput<T>>; // as said above

/** What running a task gives: the promise of its result, or the stream of its items. */
export type TaskReturnOf<T> = T extends string
  ? Promise<any> // as said above
  : [ExtractTaskOutput<T>] extends [ItemStream<any, any>]
    ? IsAny<ExtractTaskOutput<T>> extends true
      ? Promise<any> // an `any` task resolves to anything
      : ExtractTaskOutput<T>
    : Promise<TaskResultOf<T>>;

/** The value of a resource, or `any` for an id, which has no types; of several, whichever it is. */
export type ResourceValueOf<R> = R extends string ? any : ExtractResourceValue<R>; // as said above
/** The config of a resource, or `unknown` for an id. */
export type ResourceConfigOf<R> = R extends string ? unknown : ExtractResourceConfig<R>;

/** Arguments of an emission: the payload may be left out only where it is void, or unknown as that of an id. */
export type EmitArgs<P> = unknown extends P ? [payload?: P] : [P] extends [void] ? [payload?: undefined] : [payload: P];

/**
 * A running application. All functions are own properties, so it can be destructured.
 *
 * Once it is disposed of, tasks, emissions and values are refused with `runDisposedError`.
 */
export interface RunResult<V, L = unknown> {
  /** What the root's `init` resolved to. */
  readonly value: V;
  readonly logger: L;
  readonly store: Store;
  /** Where tasks and events run, and who may reach them; of a dry run, as far as definitions say it. */
  readonly topology: Topology;
  /** Runs the registered task of that id; a streamed one gives its `ItemStream`. @throws {Error} (as a rejection) there is none */
  runTask<T extends string | TaskHandle>(task: T, ...args: RunTaskArgsOf<T>): TaskReturnOf<T>;
  /** Resolves when all listeners finished. @throws {Error} (as a rejection) no such event is registered */
  emitEvent<P>(event: string | EventReference<P>, ...args: EmitArgs<NotInferred<P>>): Promise<void>;
  /**
   * Listens to events as they are emitted, as clients do from other processes: from the first event that is asked for until the
   * loop is left, or the run ends. Payloads are those that listeners get.
   *
   * @throws {Error} (as a rejection of the loop) no such event is registered
   * @see readmes/SUBSCRIPTIONS.md
   */
  subscribe<const E extends SubscribableEvent>(
    events: readonly E[],
    options?: SubscribeOptions,
  ): Subscription<HeardOf<E>>;
  /** @throws {Error} no such resource is registered */
  getResourceValue<R extends string | ResourceHandle<any, any>>(resource: R): ResourceValueOf<R>;
  /** @throws {Error} no such resource is registered */
  getResourceConfig<R extends string | ResourceHandle<any, any>>(resource: R): ResourceConfigOf<R>;
  /** Disposes of all resources, last initialised first; once, however often it is called. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Any task, looked at for its types alone. */
export interface TaskHandle {
  readonly kind: "task";
  readonly id: string;
  readonly $io?: readonly [any, any]; // as above
  $in?(input: any): void; // as above
}

/** Any resource, with its config or without, looked at for its types alone. */
export interface ResourceHandle<C, V extends Promise<any>> {
  readonly kind: "resource" | "resourceWithConfig";
  readonly id: string;
  readonly $value?: readonly [C, V];
}
