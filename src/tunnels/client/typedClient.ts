import type { ItemStream } from "../../lib/itemStream";
import type { EventExports, EventNames, LiteralEventIdOf, TaskExports, TaskIdOf, TaskNames } from "../../define/remote";
import type { EventReference, ExtractEventPayload, IEvent } from "../../define/event";
import type { HeardOf, SubscribeOptions, Subscription } from "../../define/subscription";
import type { SafeResult } from "../../define/safe";
import type { ItemsOption, TaskItems } from "../../define/itemInput";
import type { ExtractTaskOutput, ITask, Task, TaskInput } from "../../define/task";
import type { Arrived } from "../../define/taskBuilder";
import type { ErrorsOf } from "../../define/throwsList";
import type {
  CallOf,
  RemoteClient,
  RemoteDuplexTask,
  RemoteStreamTask,
  StreamCallOf,
  StreamCallOptions,
  TaskCallOf,
} from "./remoteClient";

/** The tasks and events that a typed client calls by the names they have in the server's module. */
export interface NamedTargets<M> {
  /**
   * Names of exported tasks to their ids: `{ charge: "billing.tasks.charge" }`; of those that stream items, to
   * `{ id: "billing.tasks.rows", streams: true }`. All of it is checked and completed.
   */
  readonly tasks?: Partial<TaskNames<M>> | undefined;
  /** Names of exported events to their ids. */
  readonly events?: Partial<EventNames<M>> | undefined;
}

/** What a task of another process gives. */
export type RemoteResultOf<T> = T extends { readonly $io?: readonly [any, Promise<infer Result>] }
  ? Arrived<Result>
  : never;

/**
 * A task, as a typed client calls it by name; a streamed one gives its items. `safe` knows its errors.
 *
 * Most take an input and give a result: what these are is read off the type arguments of `Task` in one step, which takes the
 * checker two thirds of what looking for the members does.
 */
export type TaskCall<T> = "$items" extends keyof T
  ? ((...call: StreamTaskCallOf<T>) => ItemsOf<T>) & Thrower<T>
  : "takesItems" extends keyof T
    ? ((...call: TaskCallOf<T>) => Promise<RemoteResultOf<T>>) & Thrower<T>
    : T extends Task<any, Promise<infer Result>, any, infer In, any, any>
      ? ((...call: CallOf<In>) => Promise<Arrived<Result>>) & Thrower<T>
      : never;
/** As `TaskCallOf`, of a streamed task. */
export type StreamTaskCallOf<T> = "takesItems" extends keyof T
  ? [input: TaskInput<T>, options: StreamCallOptions & ItemsOption<TaskItems<T>>]
  : StreamCallOf<TaskInput<T>>;
/** The stream that a streamed task gives. */
export type ItemsOf<T> = T extends { readonly $items?: readonly [infer Item, infer Result] }
  ? ItemStream<Item, Result>
  : never;
/** What a caller says of the errors that its task throws. */
interface Thrower<T> {
  readonly $throws?: T extends { readonly $throws?: infer Slot } ? Slot : never;
}
/** An event, as a typed client emits it by name. */
export type EventCall<E> = (...call: CallOf<ExtractEventPayload<E>>) => Promise<void>;

// Without asking whether a name is one of the module: the checker would go through all of its exports for every call.

/** By name, as `client.tasks` has them. */
export type TaskCalls<M> = { readonly [K in keyof TaskExports<M>]: TaskCall<M[K]> };
/** By name, as `client.events` has them. */
export type EventCalls<M> = { readonly [K in keyof EventExports<M>]: EventCall<M[K]> };

/**
 * What a call by id takes and gives. A client reads it by index alone: a conditional type over the id would visit every
 * task of the module for every call.
 */
export type TasksById<M> = {
  readonly [K in keyof M as "$items" extends keyof M[K] ? never : TaskIdOf<M[K]>]: {
    readonly call: TaskCallOf<M[K]>;
    readonly result: RemoteResultOf<M[K]>;
    readonly outcome: SafeResult<RemoteResultOf<M[K]>, ErrorsOf<M[K]>>;
  };
};
/** The same for tasks that stream items. */
export type StreamsById<M> = {
  readonly [K in keyof M as "$items" extends keyof M[K] ? TaskIdOf<M[K]> : never]: {
    readonly call: StreamTaskCallOf<M[K]>;
    readonly items: ItemsOf<M[K]>;
  };
};
/** The same for events whose ids are literals. */
export type EventsById<M> = {
  readonly [K in keyof M as LiteralEventIdOf<M[K]>]: {
    readonly call: CallOf<ExtractEventPayload<M[K]>>;
    readonly payload: ExtractEventPayload<M[K]>;
  };
};

/** A task that does not stream. */
type PlainTask = ITask<any, any> & { readonly $items?: undefined };

/** What makes a client returns: one that takes any id, or, for the type `M` of a module, one that knows its exports. */
export type ClientOf<Client, M> = unknown extends M ? Client : TypedClient<M>;

/**
 * A client that knows what a server's module exports: `createHttpClient<typeof Billing>({ ... })`. Nothing of the module is
 * loaded. Other ids are refused by the checker; a client without a type argument takes any.
 *
 * @see readmes/TYPED_CONTRACTS.md
 */
export interface TypedClient<M> extends Pick<RemoteClient, "close" | typeof Symbol.asyncDispose> {
  /** The tasks that the client was given by name. @throws {TypeError} it was not given that one */
  readonly tasks: TaskCalls<M>;
  /** The events that the client was given by name. @throws {TypeError} it was not given that one */
  readonly events: EventCalls<M>;
  /** Runs the task of a definition. @throws {TunnelError} as `RemoteClient` */
  task<T extends PlainTask>(task: T, ...call: TaskCallOf<T>): Promise<Awaited<ExtractTaskOutput<T>>>;
  /** Runs a task of the module by its id. */
  task<Id extends keyof TasksById<M>>(id: Id, ...call: TasksById<M>[Id]["call"]): Promise<TasksById<M>[Id]["result"]>;
  /** What is no call of either kind: for the sentence that says why. */
  task<T extends PlainTask | keyof TasksById<M>>(target: T, ...call: TaskCallTo<T, M>): Promise<never>;
  /** Calls the streamed task of a definition that takes items as well. */
  stream<In, Item, Result, Sent>(
    task: RemoteDuplexTask<In, Item, Result, Sent>,
    input: In,
    options: StreamCallOptions & ItemsOption<Sent>,
  ): ItemStream<Item, Result>;
  /** Calls the streamed task of a definition. @throws {TunnelError} (as a rejection of the loop) as `RemoteClient` */
  stream<In, Item, Result>(
    task: RemoteStreamTask<In, Item, Result>,
    ...call: StreamCallOf<In>
  ): ItemStream<Item, Result>;
  /** Calls a streamed task of the module by its id. */
  stream<Id extends keyof StreamsById<M>>(id: Id, ...call: StreamsById<M>[Id]["call"]): StreamsById<M>[Id]["items"];
  /**
   * As `task`; resolves to how the call ended, and never rejects. Streams are read with the function `safe`:
   * `safe(client.tasks.rows, input)`.
   */
  safe<T extends PlainTask>(
    task: T,
    ...call: TaskCallOf<T>
  ): Promise<SafeResult<Awaited<ExtractTaskOutput<T>>, ErrorsOf<T>>>;
  safe<Id extends keyof TasksById<M>>(id: Id, ...call: TasksById<M>[Id]["call"]): Promise<TasksById<M>[Id]["outcome"]>;
  safe<T extends PlainTask | keyof TasksById<M>>(target: T, ...call: TaskCallTo<T, M>): Promise<never>;
  /** Listens to events of the module, by definition or id. */
  subscribe<const E extends EventReference<any> | keyof EventsById<M>>(
    events: readonly E[],
    options?: SubscribeOptions,
  ): Subscription<HeardOf<E, EventsById<M>>>;
  /** Emits the event of a definition; resolves once its listeners are done. */
  event<E extends IEvent<any>>(event: E, ...call: CallOf<ExtractEventPayload<E>>): Promise<void>;
  event<Id extends keyof EventsById<M>>(id: Id, ...call: EventsById<M>[Id]["call"]): Promise<void>;
  event<E extends IEvent<any> | keyof EventsById<M>>(target: E, ...call: EventCallTo<E, M>): Promise<never>;
  /** As `event`; resolves to the payload as the listeners left it. */
  eventWithResult<E extends IEvent<any>>(
    event: E,
    ...call: CallOf<ExtractEventPayload<E>>
  ): Promise<ExtractEventPayload<E>>;
  eventWithResult<Id extends keyof EventsById<M>>(
    id: Id,
    ...call: EventsById<M>[Id]["call"]
  ): Promise<EventsById<M>[Id]["payload"]>;
  eventWithResult<E extends IEvent<any> | keyof EventsById<M>>(target: E, ...call: EventCallTo<E, M>): Promise<never>;
}

/**
 * What follows the target of a call, whichever kind it is. The checker comes to it for calls that are wrong alone: of several
 * signatures some versions tell what the last one lacks, so that this one has to know both kinds.
 */
type TaskCallTo<T, M> = T extends PlainTask
  ? TaskCallOf<T>
  : T extends keyof TasksById<M>
    ? TasksById<M>[T]["call"]
    : never;
type EventCallTo<E, M> =
  E extends IEvent<any>
    ? CallOf<ExtractEventPayload<E>>
    : E extends keyof EventsById<M>
      ? EventsById<M>[E]["call"]
      : never;
