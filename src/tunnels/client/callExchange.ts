import type { CallDeadline } from "../../define/task";
import { TunnelError } from "../../errors/tunnelError";
import { Deadline } from "../../lib/deadline";
import { describeValue } from "../../lib/describeValue";
import type { OriginOption } from "../../lib/emissionPath";
import { InFlight } from "../../lib/inFlight";
import { settleOrAbort } from "../../lib/settleOrAbort";
import type { MaybePromise } from "../../lib/typeLevel";
import { allowManyListeners } from "../../platform/manyListeners";
import { locateFailure } from "../protocol/callFailure";
import { idempotencyKeyHeader, itemsContentType } from "../protocol/headers";
import type { Transport, WireBody, WireRequest, WireResponse, WireTarget } from "../protocol/wire";
import { clientClosed, withLayers, type Carrier, type CloseOptions, type TransportLayer } from "./carrier";
import type { CallCodec } from "./codec";
import type { ClientCallOptions } from "./remoteClient";

/** What the requests of one client go through. */
export interface ExchangeOptions {
  readonly carrier: Carrier;
  /** Around the carrier, the first one outermost. */
  readonly layers?: readonly TransportLayer[] | undefined;
  /** The address that calls are sent to, for errors to name. */
  readonly baseUrl?: string | undefined;
  /** Counts calls. Default: one of the client's own. */
  readonly inFlight?: InFlight | undefined;
  /** Receives what a call fails with, to add to it what is known. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/** What differs between the calls of tasks, of events, and of subscriptions. */
export interface ExchangeForm {
  /** The value that the body is made from. */
  readonly input?: unknown;
  /** Makes the body; what it throws was not sent. */
  readonly write: () => MaybePromise<WireBody>;
  readonly read: (response: WireResponse) => unknown;
  /** Whether the reply is to be a stream of items. */
  readonly wantsItems?: true;
}

/** The requests of one client, from what is to be written to what was read. */
export interface CallExchange {
  /** Rejects with an error that says which call it was, unless it is the caller's own. */
  send(target: WireTarget, call: ClientCallOptions | undefined, form: ExchangeForm): Promise<unknown>;
  /** Counts calls, and replies that are still read. */
  readonly inFlight: InFlight;
  /** Takes no more calls, waits for those in flight, and releases what the carrier holds. */
  close(options?: CloseOptions): Promise<void>;
}

export function createExchange(options: ExchangeOptions, codec: CallCodec): CallExchange {
  const { carrier, layers = [], inFlight = new InFlight() } = options;
  const closing = carrier.accepts.abort ? undefined : new AbortController();
  if (closing !== undefined) allowManyListeners(closing.signal);
  const transport = abortable(withLayers(carrier.send, layers), closing?.signal);
  let isClosed = false;

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

  async function send(
    target: WireTarget,
    call: ClientCallOptions | undefined,
    { input, write, read, wantsItems }: ExchangeForm,
  ): Promise<unknown> {
    let isSending = false;
    let { baseUrl } = options;
    inFlight.enter();
    try {
      begin(target.id, call);
      const written = write();
      const body = written instanceof Promise ? await untilAborted(written, call?.signal) : written;
      const key = call?.idempotencyKey;
      if (key !== undefined) {
        const { assertKeyed } = await untilAborted(import("./assertKeyed"), call?.signal);
        assertKeyed(codec, target.id, { key, body, wantsItems });
      }
      isSending = true;
      const named = codec.headersFor(body);
      let headers = named instanceof Promise ? await untilAborted(named, call?.signal) : named;
      if (wantsItems) headers = { ...headers, accept: itemsContentType };
      if (body.kind === "items") headers = { ...headers, "content-type": itemsContentType };
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

  async function close(closeOptions?: CloseOptions): Promise<void> {
    isClosed = true;
    if (inFlight.count > 0) {
      // An abort of the wait is no failure of closing.
      await Promise.resolve(settleOrAbort(inFlight.whenIdle(), closeOptions?.signal)).catch(() => {
        closing?.abort(clientClosed());
      });
    }
    await carrier.close(closeOptions);
  }

  return { send, inFlight, close };
}

/** A request with what its caller wants of it. Added to it: an object this large is many times as slow to spread. */
function optionsOf(call: ClientCallOptions & OriginOption, sent: WireRequest): WireRequest {
  const { origin, signal, timeoutMs, deadline, trace, isRepeatable, idempotencyKey, onProgress, onDownloadProgress } =
    call;
  return Object.assign(sent, {
    origin,
    signal,
    isRepeatable: isRepeatable === true || idempotencyKey !== undefined || undefined,
    timeoutMs,
    deadline: timeoutMs === undefined ? deadline : earlier(Deadline.in(timeoutMs), deadline),
    trace,
    onProgress,
    onDownloadProgress,
  });
}

const earlier = (own: CallDeadline, outer: CallDeadline | undefined): CallDeadline =>
  outer === undefined || own.remainingMs <= outer.remainingMs ? own : outer;

/** Does not wait for a transport that hangs, once the client closes without waiting. */
const abortable = (next: Transport, closing: AbortSignal | undefined): Transport =>
  closing === undefined ? next : async (request) => settleOrAbort(next(request), closing);
