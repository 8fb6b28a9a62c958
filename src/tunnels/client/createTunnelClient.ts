import { InFlight } from "../../lib/inFlight";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { allowManyListeners } from "../../platform/manyListeners";
import type { DownloadProgress, Transport, UploadProgress, WireBody, WireResponse, WireTarget } from "../protocol/wire";
import type { TunnelClient } from "../routing/tags";
import { createCallCodec, type CallCodecOptions } from "./callCodec";
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
  ): Promise<WireResponse> {
    inFlight.enter();
    try {
      begin(id, call);
      return await send({ kind: "event", id }, codec.encodeEvent(payload, returnPayload), call);
    } finally {
      inFlight.leave();
    }
  }

  async function run(id: string, input: CallInput, call: ClientCallOptions | undefined): Promise<unknown> {
    inFlight.enter();
    try {
      begin(id, call);
      return codec.decodeTask(await send({ kind: "task", id }, codec.encodeTask(input), call, input.value));
    } finally {
      inFlight.leave();
    }
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
      codec.decodeEvent(await emit(id, payload, false, call));
    },
    async eventWithResult<P>(id: string, payload?: P, call?: ClientCallOptions): Promise<P> {
      return codec.decodeEventResult(await emit(id, payload, true, call)) as P;
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

const noOptions: ClientCallOptions = {};

/** Does not wait for a transport that hangs, once the client closes without waiting. */
const abortable = (next: Transport, closing: AbortSignal | undefined): Transport =>
  closing === undefined ? next : async (request) => settleOrAbort(next(request), closing);
