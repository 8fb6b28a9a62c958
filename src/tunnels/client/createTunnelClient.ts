import type { ExtractEventPayload, IEvent } from "../../define/event";
import type { CallDeadline, ExtractTaskOutput, ITask, TaskInput } from "../../define/task";
import type { ItemsOption, TaskItems } from "../../define/itemInput";
import type { HeardOf, SubscribableEvent, SubscribeOptions, Subscription } from "../../define/subscription";
import { settle, type SafeResult } from "../../define/safe";
import type { ErrorsOf } from "../../define/throwsList";
import { TunnelError } from "../../errors/tunnelError";
import { Deadline } from "../../lib/deadline";
import { describeValue } from "../../lib/describeValue";
import { InFlight } from "../../lib/inFlight";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { itemStream, type ItemStream } from "../../lib/itemStream";
import type { ItemSource } from "../../lib/itemReader";
import type { MaybePromise } from "../../lib/typeLevel";
import { captureSlots } from "../../platform/contextScope";
import { allowManyListeners } from "../../platform/manyListeners";
import type {
  DownloadProgress,
  Transport,
  UploadProgress,
  WireBody,
  WireRequest,
  WireResponse,
  WireTarget,
} from "../protocol/wire";
import { withRepeats } from "../routing/idempotency";
import type { RemoteCallOptions, TunnelClient } from "../routing/tags";
import type { CallCodecOptions, MakeCallCodec } from "./codec";
import { locateFailure } from "../protocol/callFailure";
import { heartbeatHeader, idempotencyKeyHeader, itemsContentType, requestIdHeader } from "../protocol/headers";
import { isItemsType } from "../protocol/replyKind";
import type { CallInput } from "./callInput";
import type { SentItems } from "./sentItems";
import { namedCalls, type Names } from "./namedCalls";
import { clientClosed, withLayers, type Carrier, type CloseOptions, type TransportLayer } from "./carrier";

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

export interface TunnelClientOptions extends CallCodecOptions {
  /** Names that the client's `tasks` are called by, to their ids; the same for `events`. Without them it has neither. */
  readonly tasks?: Names | undefined;
  readonly events?: Names | undefined;
  readonly carrier: Carrier;
  readonly codec: MakeCallCodec;
  /** Around the carrier, the first one outermost. */
  readonly layers?: readonly TransportLayer[] | undefined;
  /** The address that calls are sent to, for errors to name. */
  readonly baseUrl?: string | undefined;
  /** Counts calls. Default: one of the client's own. */
  readonly inFlight?: InFlight | undefined;
  /** Receives what a call fails with, to add to it what is known. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
  /**
   * How long a stream of items may bring nothing while its reader waits, in ms, then it fails with `STREAM_LOST`; at least
   * three heartbeats of the server. Default 45,000.
   */
  readonly silenceMs?: number | undefined;
}

/** What differs between the calls of tasks and of events. */
interface Exchange {
  /** The value that the body is made from. */
  readonly input?: unknown;
  /** Makes the body; what it throws was not sent. */
  readonly write: () => MaybePromise<WireBody>;
  readonly read: (response: WireResponse) => unknown;
  /** Whether the reply is to be a stream of items. */
  readonly wantsItems?: true;
}

/** Makes a client over any carrier. */
export function createTunnelClient(options: TunnelClientOptions): RemoteClient {
  const { carrier, layers = [] } = options;
  const codec = options.codec(options, carrier);
  const { inFlight = new InFlight() } = options;
  const closing = carrier.accepts.abort ? undefined : new AbortController();
  if (closing !== undefined) allowManyListeners(closing.signal);
  const transport = abortable(withLayers(carrier.send, layers), closing?.signal);
  let isClosed = false;
  let subscriptions: Promise<Subscriptions> | undefined;

  function begin(id: string, call: ClientCallOptions | undefined): void {
    if (typeof id !== "string") {
      throw new TypeError(`A call names its target by id, a string, or by its definition, got ${typeof id}.`);
    }
    if (isClosed) throw clientClosed();
    const timeoutMs: unknown = call?.timeoutMs;
    if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs >= 0)) {
      throw new TypeError(`timeoutMs of a call is a number of milliseconds, got ${describeValue(timeoutMs)}.`);
    }
    if (call?.signal === undefined) return;
    call.signal.throwIfAborted();
    allowManyListeners(call.signal);
  }

  /** What is loaded for a call does not outlast it. */
  const untilAborted = async <T>(loading: Promise<T>, signal: AbortSignal | undefined): Promise<T> =>
    settleOrAbort(settleOrAbort(loading, signal), closing?.signal);

  async function exchange(
    target: WireTarget,
    call: ClientCallOptions | undefined,
    { input, write, read, wantsItems }: Exchange,
  ): Promise<unknown> {
    let isSending = false;
    let { baseUrl } = options;
    inFlight.enter();
    try {
      begin(target.id, call);
      const written = write();
      const body = written instanceof Promise ? await untilAborted(written, call?.signal) : written;
      isSending = true;
      const named = codec.headersFor(body);
      let headers = named instanceof Promise ? await untilAborted(named, call?.signal) : named;
      if (wantsItems) headers = { ...headers, accept: itemsContentType };
      if (body.kind === "items") headers = { ...headers, "content-type": itemsContentType };
      const key = call?.idempotencyKey;
      if (key !== undefined) headers = { ...headers, [idempotencyKeyHeader]: key };
      const sent = { target, headers, body, input, wantsItems };
      const response = await transport(call === undefined ? sent : optionsOf(call, sent));
      isSending = false;
      baseUrl = response.baseUrl ?? baseUrl;
      const result = read(response);
      return result instanceof Promise ? await untilAborted(result, call?.signal) : result;
    } catch (error) {
      options.onFailure?.(error);
      throw failureOf(error, { target, baseUrl }, call, isSending);
    } finally {
      inFlight.leave();
    }
  }

  const emit = (
    id: string,
    payload: unknown,
    returnPayload: boolean,
    call: ClientCallOptions | undefined,
  ): Promise<unknown> =>
    exchange({ kind: "event", id }, call, {
      write: () => codec.encodeEvent(payload, returnPayload),
      read: returnPayload ? codec.decodeEventResult : codec.decodeEvent,
    });

  const runAs =
    (wanted: Pick<Exchange, "read" | "wantsItems">): RunTask =>
    (id, input, call, sent) =>
      exchange({ kind: "task", id }, call, {
        input: input.value,
        write: () => sent?.open(input) ?? codec.encodeTask(input),
        ...wanted,
      });
  const run = runAs({ read: codec.decodeTask });
  const runForItems = runAs({ read: (response) => response, wantsItems: true });

  /**
   * An error of a call says which call it was. Not so the caller's own: the reason of its signal, what its hooks and streams
   * failed with, and declared errors, whose message is the application's and may travel on.
   */
  function failureOf(
    error: unknown,
    { target, baseUrl }: { readonly target: WireTarget; readonly baseUrl: string | undefined },
    call: ClientCallOptions | undefined,
    isSending: boolean,
  ): unknown {
    // One error ends all calls in flight.
    const own = error === closing?.signal.reason ? clientClosed() : error;
    if (isSending && !(own instanceof TunnelError)) return own;
    return own === call?.signal?.reason ? own : locateFailure(own, target, baseUrl);
  }

  /** What is to be sent beside the input of a call. */
  async function itemsOf(call: ItemsCall): Promise<SentItems> {
    const { SentItems: Sent } = await import("./sentItems");
    const { accepts } = carrier;
    const { items, enter, signal } = call;
    const fail = (code: string, message: string, cause?: unknown) =>
      Object.assign(new TunnelError(code, message), { cause });
    return new Sent(items, { codec, accepts, enter, signal, fail });
  }

  const claiming =
    (next: RunTask): RunTask =>
    async (id, input, call) => {
      if (!input.isStream && input.files.length === 0) return next(id, input, call);
      const streams = carrier.claimStreams?.(input);
      try {
        streams?.claim();
        return await next(id, input, call);
      } catch (error) {
        streams?.destroy();
        throw error;
      }
    };

  async function openItems(
    ReceivedItems: MakeReceivedItems,
    id: string,
    { run, stop }: { readonly run: Promise<unknown>; readonly stop: () => void },
  ): Promise<ItemSource> {
    const target: WireTarget = { kind: "task", id };
    const response = (await run) as WireResponse;
    const { body, contentType, headers } = response;
    const fail = (code: string, message: string, cause?: unknown): Error => {
      const error = new TunnelError(code, message, undefined, { requestId: headers?.[requestIdHeader]?.toString() });
      return locateFailure(cause === undefined ? error : Object.assign(error, { cause }), target, options.baseUrl);
    };
    if (body.kind !== "stream" || !isItemsType(contentType)) {
      stop();
      if (body.kind === "stream") void body.stream[Symbol.asyncIterator]().return?.();
      else await codec.decodeTask(response);
      throw fail("NOT_A_STREAM", `Task "${id}" did not reply with items: it does not stream, or its server is older.`);
    }
    inFlight.enter();
    return new ReceivedItems(body.stream, {
      lineBytes: maxLineBytes,
      silenceMs: Math.max(options.silenceMs ?? 45_000, 3 * (Number(headers?.[heartbeatHeader]) || 0)),
      parse: codec.decodeLine,
      failureOf: (error) => codec.failureOf(error, headers?.[requestIdHeader]?.toString()),
      fail,
      onEnd() {
        stop();
        inFlight.leave();
      },
    });
  }

  async function close(closeOptions?: CloseOptions): Promise<void> {
    isClosed = true;
    void subscriptions?.then((opened) => opened.close());
    if (inFlight.count > 0) {
      // An abort of the wait is no failure of closing.
      await Promise.resolve(settleOrAbort(inFlight.whenIdle(), closeOptions?.signal)).catch(() => {
        closing?.abort(clientClosed());
      });
    }
    await carrier.close(closeOptions);
  }

  async function taskWithItems(id: string, value: unknown, call: ItemsCall): Promise<unknown> {
    const sent = await itemsOf(call);
    try {
      return await sent.around(run)(id, codec.readInput(value), call);
    } finally {
      sent.stop();
    }
  }

  async function task(target: Target, value?: unknown, call?: ClientCallOptions): Promise<any> {
    if (sendsItems(call)) return taskWithItems(idOf(target, "task"), value, { ...call, enter: captureSlots() });
    const input = codec.readInput(value);
    const hasStreams = input.isStream || input.files.length > 0;
    const id = idOf(target, "task");
    const options = typeof target === "string" ? call : withRepeats(target, value, call);
    return (hasStreams ? claiming(run) : run)(id, input, options); // the caller's types
  }

  async function event(target: Target, payload?: unknown, call?: ClientCallOptions): Promise<void> {
    await emit(idOf(target, "event"), payload, false, call);
  }

  // `any`: the caller's types.
  function stream(target: Target, value?: unknown, call: StreamCallOptions = {}): ItemStream<any, any> {
    const id = idOf(target, "task");
    const enter = captureSlots();
    return itemStream(async (end) => {
      const [{ ItemReader }, { ReceivedItems }, sent] = await Promise.all([
        import("../../lib/itemReader"),
        import("../protocol/receivedItems"),
        sendsItems(call) ? itemsOf({ ...call, enter }) : undefined,
      ]);
      const run = sent?.around(runForItems) ?? claiming(runForItems);
      const stop = () => sent?.stop();
      const begin = (signal: AbortSignal) =>
        enter(async () =>
          openItems(ReceivedItems, id, { run: run(id, codec.readInput(value), { ...call, signal }), stop }),
        );
      return new ItemReader({ begin, signal: sent?.signal ?? call.signal }, end);
    });
  }

  const isTyped = options.tasks !== undefined || options.events !== undefined;
  return {
    ...(isTyped && {
      tasks: namedCalls("tasks", options.tasks, task, stream),
      events: namedCalls("events", options.events, event),
    }),
    task,
    safe: (target: Target, value?: unknown, call?: ClientCallOptions): Promise<any> =>
      settle(() => task(target, value, call), (target as Partial<ITask> | undefined)?.throws), // as above
    stream,
    // The caller's types.
    subscribe(events: readonly SubscribableEvent[], listening: SubscribeOptions = {}): Subscription<any> {
      const enter = captureSlots();
      const stream = itemStream(async (end) => {
        subscriptions ??= import("./subscribe/subscriptions").then(
          ({ Subscriptions }) => new Subscriptions({ codec, exchange, silenceMs: options.silenceMs, TunnelError }),
        );
        return (await subscriptions).open(events, listening, end, enter);
      });
      return stream as Subscription<any>;
    },
    event,
    // The caller's types are the event's.
    eventWithResult: async (target: Target, payload?: unknown, call?: ClientCallOptions): Promise<any> =>
      emit(idOf(target, "event"), payload, true, call),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

type Subscriptions = import("./subscribe/subscriptions").Subscriptions;
type RunTask = (
  id: string,
  input: CallInput,
  call: ClientCallOptions | undefined,
  sent?: SentItems,
) => Promise<unknown>;

/** A call that sends items. */
type ItemsCall = ClientCallOptions & ItemsOption<unknown> & { readonly enter: <R>(fn: () => R) => R };

const sendsItems = (call: ClientCallOptions | undefined): call is ClientCallOptions & ItemsOption<unknown> =>
  (call as Partial<ItemsOption<unknown>> | undefined)?.items !== undefined;

type MakeReceivedItems = (typeof import("../protocol/receivedItems"))["ReceivedItems"];

/** Longest line of a stream of items that is read, in bytes. */
const maxLineBytes = 1_048_576;

/** A request with what its caller wants of it. */
function optionsOf(call: ClientCallOptions, sent: WireRequest): WireRequest {
  const { signal, timeoutMs, deadline, trace, isRepeatable, idempotencyKey, onProgress, onDownloadProgress } = call;
  return {
    ...sent,
    signal,
    isRepeatable: isRepeatable === true || idempotencyKey !== undefined || undefined,
    timeoutMs,
    deadline: timeoutMs === undefined ? deadline : earlier(Deadline.in(timeoutMs), deadline),
    trace,
    onProgress,
    onDownloadProgress,
  };
}

const earlier = (own: CallDeadline, outer: CallDeadline | undefined): CallDeadline =>
  outer === undefined || own.remainingMs <= outer.remainingMs ? own : outer;

/** Does not wait for a transport that hangs, once the client closes without waiting. */
const abortable = (next: Transport, closing: AbortSignal | undefined): Transport =>
  closing === undefined ? next : async (request) => settleOrAbort(next(request), closing);

/** An id, or the definition that has it. */
type Target = string | { readonly id: string; readonly kind: string; readonly tags?: ITask["tags"] };

/** @throws {TypeError} the definition is of another kind */
function idOf(target: Target, kind: "task" | "event"): string {
  if (typeof target !== "object" || target === null) return target;
  if (target.kind === kind) return target.id;
  throw new TypeError(
    `This call names its target by the id or the definition of ${kind === "task" ? "a task" : "an event"}, got ${target.kind}.`,
  );
}
