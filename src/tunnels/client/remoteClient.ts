import type { ExtractEventPayload, IEvent } from "../../define/event";
import type { ItemsOption, TaskItems } from "../../define/itemInput";
import type { SafeResult } from "../../define/safe";
import type { HeardOf, SubscribableEvent, SubscribeOptions, Subscription } from "../../define/subscription";
import type { ExtractTaskOutput, ITask, TaskInput } from "../../define/task";
import type { ErrorsOf } from "../../define/throwsList";
import type { ItemStream } from "../../lib/itemStream";
import type { DownloadProgress, UploadProgress } from "../protocol/wire";
import type { RemoteCallOptions, TunnelClient } from "../routing/tags";
import type { CloseOptions } from "./carrier";

/** Options of one call. */
export interface ClientCallOptions extends RemoteCallOptions {
  /** Aborts the call: it rejects with the signal's reason, and the task's own signal aborts on the server. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The time for the whole call, in ms. When it is up the call rejects as by the client's `timeoutMs`; the server is told,
   * where the client propagates deadlines, and stops the task by itself. Default: no limit but the client's own.
   */
  readonly timeoutMs?: number | undefined;
  /** Called at most every 50 ms while the request's body leaves, and once at its end. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Called at most every 50 ms while the reply's body arrives, and once at its end. */
  readonly onDownloadProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** Options of one call of a streamed task. Its times end with the head of the reply, which comes within a second. */
export type StreamCallOptions = Omit<ClientCallOptions, "onDownloadProgress">;

/** Calls tasks and emits events in another process. */
export interface RemoteClient extends TunnelClient, AsyncDisposable {
  /**
   * Runs a task on the server.
   *
   * @throws {TunnelError} (as a rejection) the server refused or failed the call, or its reply made no sense
   */
  task<I, O>(id: string, input?: I, options?: ClientCallOptions & Partial<ItemsOption<unknown>>): Promise<O>;
  /** Runs the task of a definition, with its types of input, items to be sent, and result. */
  task<T extends ITask<any, any>>(task: T, ...call: TaskCallOf<T>): Promise<Awaited<ExtractTaskOutput<T>>>;
  /**
   * Calls a streamed task: gives its items as they come. The call is made when the first one is asked for; leaving the loop
   * cancels it.
   *
   * @throws {TunnelError} (as a rejection of the loop) as `task`; `NOT_A_STREAM`, `STREAM_LOST`, `ITEM_TOO_LARGE`
   */
  stream<I, Item, Result = unknown>(
    id: string,
    input?: I,
    options?: StreamCallOptions & Partial<ItemsOption<unknown>>,
  ): ItemStream<Item, Result>;
  /** Calls the streamed task of a definition that takes items as well. */
  stream<In, Item, Result, Sent>(
    task: RemoteDuplexTask<In, Item, Result, Sent>,
    input: In,
    options: StreamCallOptions & ItemsOption<Sent>,
  ): ItemStream<Item, Result>;
  /** Calls the streamed task of a definition. */
  stream<In, Item, Result>(
    task: RemoteStreamTask<In, Item, Result>,
    ...call: StreamCallOf<In>
  ): ItemStream<Item, Result>;
  /**
   * Listens to events that are emitted on the server, over one connection for all that begin in one turn of the event loop.
   * A connection that is lost is made anew, and goes on where it stood; `onGap` is told what is missing.
   *
   * @throws {TunnelError} (as a rejection of the loop) the server refused it; never for what a later try may mend
   * @see readmes/SUBSCRIPTIONS.md
   */
  subscribe<const E extends SubscribableEvent>(
    events: readonly E[],
    options?: SubscribeOptions,
  ): Subscription<HeardOf<E>>;
  /** As `task`; resolves to how the call ended, and never rejects. */
  safe<I, O>(
    id: string,
    input?: I,
    options?: ClientCallOptions & Partial<ItemsOption<unknown>>,
  ): Promise<SafeResult<O>>;
  safe<T extends ITask<any, any>>(
    task: T,
    ...call: TaskCallOf<T>
  ): Promise<SafeResult<Awaited<ExtractTaskOutput<T>>, ErrorsOf<T>>>;
  /**
   * What the server says may be called, as it says it: `{ allowList: { enabled, tasks, events, subscribable? }, contract? }`.
   *
   * @throws {TunnelError} (as a rejection) as `task`; a server may be configured not to say it
   */
  discover(options?: Pick<ClientCallOptions, "signal" | "timeoutMs">): Promise<unknown>;
  /** Emits an event on the server; resolves once its listeners are done. @throws {TunnelError} as `task` */
  event<P>(id: string, payload?: P, options?: ClientCallOptions): Promise<void>;
  /** Emits the event of a definition, with its type of payload. */
  event<E extends IEvent<any>>(event: E, ...call: CallOf<ExtractEventPayload<E>>): Promise<void>;
  /** Emits an event on the server; resolves to its payload as the listeners left it. @throws {TunnelError} as `task` */
  eventWithResult<P>(id: string, payload?: P, options?: ClientCallOptions): Promise<P>;
  /** Emits the event of a definition, with its type of payload. */
  eventWithResult<E extends IEvent<any>>(
    event: E,
    ...call: CallOf<ExtractEventPayload<E>>
  ): Promise<ExtractEventPayload<E>>;
  /**
   * Takes no more calls, later ones fail with `CLIENT_CLOSED`; waits for those in flight and releases the
   * client's connections.
   */
  close(options?: CloseOptions): Promise<void>;
}

/** A streamed task, as far as its callers know it. */
export interface RemoteStreamTask<In, Item, Result> {
  readonly id: string;
  readonly kind: "task";
  // A method, as of the definition.
  $in?(input: In): void;
  readonly $io?: readonly [any, ItemStream<Item, Result>]; // whatever its body takes
  // One that takes items is told from others by this.
  readonly takesItems?: never;
}

/** A streamed task that takes items as well, as far as its callers know it. */
export interface RemoteDuplexTask<In, Item, Result, Sent> extends Omit<
  RemoteStreamTask<In, Item, Result>,
  "takesItems"
> {
  readonly takesItems: true;
  readonly $itemInput?: readonly [any, Sent]; // as above
}

/** As `CallOf`, of a streamed task. */
export type StreamCallOf<In> = undefined extends In
  ? [input?: In, options?: StreamCallOptions]
  : [input: In, options?: StreamCallOptions];

/** What follows the target of a call: an input that may be `undefined` may be left out. */
export type CallOf<I> = undefined extends I
  ? [input?: I, options?: ClientCallOptions]
  : [input: I, options?: ClientCallOptions];

/** What follows the definition of a task: items are required of one that takes some. */
export type TaskCallOf<T> = "takesItems" extends keyof T
  ? [input: TaskInput<T>, options: ClientCallOptions & ItemsOption<TaskItems<T>>]
  : CallOf<TaskInput<T>>;
