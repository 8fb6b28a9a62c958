import { TunnelError } from "../../errors/tunnelError";
import { InFlight } from "../../lib/inFlight";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { allowManyListeners } from "../../platform/manyListeners";
import type { DownloadProgress, Transport, UploadProgress, WireBody, WireResponse, WireTarget } from "../protocol/wire";
import type { TunnelClient } from "../routing/tags";
import { createCallCodec, type CallCodecOptions } from "./callCodec";
import { locateFailure } from "./callFailure";
import { readCallInput, type CallInput } from "./callInput";
import { clientClosed, withLayers, type Carrier, type CloseOptions, type TransportLayer } from "./carrier";

/** Options of one call. */
export interface ClientCallOptions {
  /** Aborts the call: it rejects with the signal's reason, and the task's own signal aborts on the server. */
  readonly signal?: AbortSignal | undefined;
  /** Called at most every 50 ms while the request's body leaves, and once at its end. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Called at most every 50 ms while the reply's body arrives, and once at its end. */
  readonly onDownloadProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** Calls tasks and emits events in another process. */
export interface RemoteClient extends TunnelClient, AsyncDisposable {
  /**
   * Runs a task on the server.
   *
   * @throws {TunnelError} (as a rejection) the server refused or failed the call, or its reply made no sense
   */
  task<I, O>(id: string, input?: I, options?: ClientCallOptions): Promise<O>;
  /** Emits an event on the server; resolves once its listeners are done. @throws {TunnelError} as `task` */
  event<P>(id: string, payload?: P, options?: ClientCallOptions): Promise<void>;
  /** Emits an event on the server; resolves to its payload as the listeners left it. @throws {TunnelError} as `task` */
  eventWithResult<P>(id: string, payload?: P, options?: ClientCallOptions): Promise<P>;
  /**
   * Takes no more calls, later ones fail with `CLIENT_CLOSED`; waits for those in flight and releases the
   * client's connections.
   */
  close(options?: CloseOptions): Promise<void>;
}

export interface TunnelClientOptions extends CallCodecOptions {
  readonly carrier: Carrier;
  /** Around the carrier, the first one outermost. */
  readonly layers?: readonly TransportLayer[] | undefined;
  /** The address that calls are sent to, for errors to name. */
  readonly baseUrl?: string | undefined;
}

/** Makes a client over any carrier. */
export function createTunnelClient(options: TunnelClientOptions): RemoteClient {
  const { carrier, layers = [] } = options;
  const codec = createCallCodec(options, carrier);
  const inFlight = new InFlight();
  const closing = carrier.accepts.abort ? undefined : new AbortController();
  if (closing !== undefined) allowManyListeners(closing.signal);
  const transport = abortable(withLayers(carrier.send, layers), closing?.signal);
  let isClosed = false;

  function begin(id: string, call: ClientCallOptions | undefined): void {
    if (typeof id !== "string") throw new TypeError(`A call names its target by id, a string, got ${typeof id}.`);
    if (isClosed) throw clientClosed();
    if (call?.signal === undefined) return;
    call.signal.throwIfAborted();
    allowManyListeners(call.signal);
  }

  function send(
    target: WireTarget,
    body: WireBody,
    call: ClientCallOptions | undefined,
    input?: unknown,
  ): Promise<WireResponse> {
    const { signal, onProgress, onDownloadProgress } = call ?? noOptions;
    return transport({ target, headers: codec.headersFor(body), body, input, signal, onProgress, onDownloadProgress });
  }

  async function emit(
    id: string,
    payload: unknown,
    returnPayload: boolean,
    call: ClientCallOptions | undefined,
  ): Promise<unknown> {
    const target: WireTarget = { kind: "event", id };
    let isSending = false;
    inFlight.enter();
    try {
      begin(id, call);
      const body = codec.encodeEvent(payload, returnPayload);
      isSending = true;
      const response = await send(target, body, call);
      isSending = false;
      return returnPayload ? codec.decodeEventResult(response) : codec.decodeEvent(response);
    } catch (error) {
      throw failureOf(error, target, call, isSending);
    } finally {
      inFlight.leave();
    }
  }

  async function run(id: string, input: CallInput, call: ClientCallOptions | undefined): Promise<unknown> {
    const target: WireTarget = { kind: "task", id };
    let isSending = false;
    inFlight.enter();
    try {
      begin(id, call);
      const body = codec.encodeTask(input);
      isSending = true;
      const response = await send(target, body, call, input.value);
      isSending = false;
      return codec.decodeTask(response);
    } catch (error) {
      throw failureOf(error, target, call, isSending);
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
    target: WireTarget,
    call: ClientCallOptions | undefined,
    isSending: boolean,
  ): unknown {
    // One error ends all calls in flight.
    const own = error === closing?.signal.reason ? clientClosed() : error;
    if (isSending && !(own instanceof TunnelError)) return own;
    const isCallers = own === call?.signal?.reason || options.errorRegistry?.has((own as Error).name) === true;
    return isCallers ? own : locateFailure(own, target, options.baseUrl);
  }

  async function runWithStreams(id: string, input: CallInput, call: ClientCallOptions | undefined): Promise<unknown> {
    const streams = carrier.claimStreams?.(input);
    try {
      streams?.claim();
      return await run(id, input, call);
    } catch (error) {
      streams?.destroy();
      throw error;
    }
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

  return {
    async task<I, O>(id: string, value?: I, call?: ClientCallOptions): Promise<O> {
      const input = readCallInput(value);
      const hasStreams = input.isStream || input.files.length > 0;
      return (hasStreams ? runWithStreams : run)(id, input, call) as Promise<O>;
    },
    async event(id, payload, call) {
      await emit(id, payload, false, call);
    },
    eventWithResult: <P>(id: string, payload?: P, call?: ClientCallOptions) =>
      emit(id, payload, true, call) as Promise<P>,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

const noOptions: ClientCallOptions = {};

/** Does not wait for a transport that hangs, once the client closes without waiting. */
const abortable = (next: Transport, closing: AbortSignal | undefined): Transport =>
  closing === undefined ? next : async (request) => settleOrAbort(next(request), closing);
