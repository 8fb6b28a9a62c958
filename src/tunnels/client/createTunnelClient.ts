import type { TagLike } from "../../define/attachments";
import type { ItemsOption } from "../../define/itemInput";
import { settle } from "../../define/safe";
import type { SubscribableEvent, SubscribeOptions, Subscription } from "../../define/subscription";
import type { ITask } from "../../define/task";
import { TunnelError } from "../../errors/tunnelError";
import { itemStream, type ItemStream } from "../../lib/itemStream";
import { loadOnce } from "../../lib/loadOnce";
import { captureSlots } from "../../platform/contextScope";
import { locateFailure } from "../protocol/callFailure";
import { heartbeatHeader, requestIdHeader } from "../protocol/headers";
import { isItemsType } from "../protocol/replyKind";
import { withRepeats } from "../routing/idempotency";
import { createExchange, type ExchangeForm, type ExchangeOptions } from "./callExchange";
import type { CloseOptions } from "./carrier";
import type { CallCodecOptions, MakeCallCodec } from "./codec";
import type { RunTask } from "./itemCalls";
import type { ClientCallOptions, RemoteClient, StreamCallOptions } from "./remoteClient";
import type { Subscriptions } from "./subscribe/subscriptions";

export interface TunnelClientOptions extends CallCodecOptions, ExchangeOptions {
  readonly codec: MakeCallCodec;
  /**
   * How long a stream of items may bring nothing while its reader waits, in ms, then it fails with `STREAM_LOST`; at least
   * three heartbeats of the server. Default 45,000.
   */
  readonly silenceMs?: number | undefined;
}

/** Makes a client over any carrier. */
export function createTunnelClient(options: TunnelClientOptions): RemoteClient {
  const { carrier, silenceMs } = options;
  const codec = options.codec(options, carrier);
  const exchange = createExchange(options, codec);
  let subscriptions: Subscriptions | undefined;
  let isClosed = false;

  const emit = (
    id: string,
    payload: unknown,
    returnPayload: boolean,
    call: ClientCallOptions | undefined,
  ): Promise<unknown> =>
    exchange.send({ kind: "event", id }, call, {
      write: () => codec.encodeEvent(payload, returnPayload),
      read: returnPayload ? codec.decodeEventResult : codec.decodeEvent,
    });

  const runAs =
    (wanted: Pick<ExchangeForm, "read" | "wantsItems">): RunTask =>
    (id, input, call, sent) =>
      exchange.send({ kind: "task", id }, call, {
        input: input.value,
        write: () => sent?.open(input) ?? codec.encodeTask(input),
        ...wanted,
      });
  const run = runAs({ read: codec.decodeTask });

  const claiming =
    (next: RunTask): RunTask =>
    async (id, input, call, sent) => {
      if (!input.isStream && input.files.length === 0) return next(id, input, call, sent);
      const streams = carrier.claimStreams?.(input);
      try {
        streams?.claim();
        return await next(id, input, call);
      } catch (error) {
        streams?.destroy();
        throw error;
      }
    };

  /** Values too are handed over: what is loaded brings nothing that the client has. */
  const withItems = loadOnce(() =>
    import("./itemCalls").then(
      ({ ItemCalls: Calls }) =>
        new Calls({
          codec,
          accepts: carrier.accepts,
          inFlight: exchange.inFlight,
          silenceMs,
          run,
          runForItems: claiming(runAs({ read: (response) => response, wantsItems: true })),
          readHead: ({ contentType, headers }) =>
            isItemsType(contentType) ? { heartbeatMs: Number(headers?.[heartbeatHeader]) || 0 } : undefined,
          requestIdOf: ({ headers }) => headers?.[requestIdHeader]?.toString(),
          fail: (code, message, cause, requestId) =>
            Object.assign(
              new TunnelError(code, message, undefined, { requestId }),
              cause === undefined ? undefined : { cause },
            ),
          locate: (error, id) => locateFailure(error, { kind: "task", id }, options.baseUrl),
        }),
    ),
  );

  /** No async function: the promise of an exchange would pass through one of its own, with three turns of the queue. */
  function task(target: Target, value?: unknown, call?: ClientCallOptions): Promise<any> {
    try {
      if (sendsItems(call)) {
        const enter = captureSlots();
        const id = idOf(target, "task");
        return withItems().then((calls) => calls.task(id, value, call, enter));
      }
      const input = codec.readInput(value);
      const hasStreams = input.isStream || input.files.length > 0;
      const id = idOf(target, "task");
      const options = typeof target === "object" ? withRepeats(target, value, call) : call;
      return (hasStreams ? claiming(run) : run)(id, input, options); // the caller's types
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async function event(target: Target, payload?: unknown, call?: ClientCallOptions): Promise<void> {
    await emit(idOf(target, "event"), payload, false, call);
  }

  // `any`: the caller's types.
  function stream(target: Target, value?: unknown, call: StreamCallOptions = {}): ItemStream<any, any> {
    const id = idOf(target, "task");
    const enter = captureSlots();
    return itemStream(async (end) => (await withItems()).open(id, value, call, { enter, end }));
  }

  const withSubscriptions = loadOnce(async () => {
    const { Subscriptions: Opened } = await import("./subscribe/subscriptions");
    subscriptions = new Opened({ codec, exchange: exchange.send, silenceMs, TunnelError });
    if (isClosed) subscriptions.close();
    return subscriptions;
  });

  async function close(closeOptions?: CloseOptions): Promise<void> {
    isClosed = true;
    subscriptions?.close();
    await exchange.close(closeOptions);
  }

  return {
    task,
    safe: (target: Target, value?: unknown, call?: ClientCallOptions): Promise<any> =>
      settle(() => task(target, value, call), (target as Partial<ITask> | undefined)?.throws), // as above
    stream,
    // The caller's types.
    subscribe(events: readonly SubscribableEvent[], listening: SubscribeOptions = {}): Subscription<any> {
      const enter = captureSlots();
      const stream = itemStream(async (end) => {
        const opened = await withSubscriptions();
        return opened.open(events, listening, end, enter);
      });
      return stream as Subscription<any>;
    },
    discover: (call) => {
      const form = { write: () => codec.encodeTask(codec.readInput(undefined)), read: codec.decodeTask };
      return exchange.send({ kind: "discovery", id: "" }, { ...call, isRepeatable: true }, form);
    },
    event,
    // The caller's types are the event's.
    eventWithResult: async (target: Target, payload?: unknown, call?: ClientCallOptions): Promise<any> =>
      emit(idOf(target, "event"), payload, true, call),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

const sendsItems = (call: ClientCallOptions | undefined): call is ClientCallOptions & ItemsOption<unknown> =>
  (call as Partial<ItemsOption<unknown>> | undefined)?.items !== undefined;

/** An id, or the definition that has it. */
type Target = string | { readonly id: string; readonly kind: string; readonly tags?: readonly TagLike[] };

/** @throws {TypeError} the definition is of another kind */
function idOf(target: Target, kind: "task" | "event"): string {
  if (typeof target !== "object" || target === null) return target;
  if (target.kind === kind) return target.id;
  throw new TypeError(
    `This call names its target by the id or the definition of ${kind === "task" ? "a task" : "an event"}, got ${target.kind}.`,
  );
}
