import { TunnelError } from "../../errors/tunnelError";
import { isThenable } from "../../lib/guards";
import { InFlight } from "../../lib/inFlight";
import { settleOrAbort } from "../../lib/settleOrAbort";
import type { MaybePromise } from "../../lib/typeLevel";
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
import type { TunnelClient } from "../routing/tags";
import { createCallCodec, type CallCodecOptions } from "./callCodec";
import { readCallInput, type CallInput } from "./callInput";
import { underOwnSignal } from "./ownSignal";

/** What may be said about one call. */
export interface ClientCallOptions {
  /** Gives the call up: it rejects with the signal's reason, and the far side sees its own signal abort. */
  readonly signal?: AbortSignal | undefined;
  /** Told at most every 50 ms while the request's body leaves, and once at its end. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Told at most every 50 ms while the reply's body arrives, and once at its end. */
  readonly onDownloadProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** How a client is closed. */
export interface CloseOptions {
  /** Stops waiting: calls still under way fail with `CLIENT_CLOSED`. */
  readonly signal?: AbortSignal | undefined;
}

/** Calls tasks and emits events in another process. */
export interface RemoteClient extends TunnelClient, AsyncDisposable {
  /**
   * Runs a task there.
   *
   * @throws {TunnelError} (as a rejection) the far side refused or failed the call, or its answer made no sense
   */
  task<I, O>(id: string, input?: I, options?: ClientCallOptions): Promise<O>;
  /** Emits an event there; resolves once its listeners are done. @throws {TunnelError} as `task` */
  event<P>(id: string, payload?: P, options?: ClientCallOptions): Promise<void>;
  /** Emits an event there and brings back its payload as the listeners left it. @throws {TunnelError} as `task` */
  eventWithResult<P>(id: string, payload?: P, options?: ClientCallOptions): Promise<P>;
  /**
   * Takes no more calls, later ones fail with `CLIENT_CLOSED`; waits for those under way and lets go of the
   * client's connections.
   */
  close(options?: CloseOptions): Promise<void>;
}

export interface TunnelClientOptions extends CallCodecOptions {
  readonly transport: Transport;
  /** Another transport for one task call; consulted where the input travels as text. */
  readonly transportFor?: ((call: TaskCall) => MaybePromise<Transport>) | undefined;
  /** Takes over the streams of an input; without it, the transport carries none. */
  readonly takeStreams?: ((input: CallInput) => TakenStreams) | undefined;
  /** Whether calls may hang where the transport cannot end them: in a hook, in a fetch. */
  readonly mayHang?: boolean | undefined;
  /** Ends what the transport holds; may be called again, to stop waiting. */
  readonly close?: ((options?: CloseOptions) => Promise<void>) | undefined;
}

/** The streams that a call has taken over: one that fails, wherever it does, leaves none of them open. */
export interface TakenStreams {
  /** @throws {Error} one of them was read, or is another call's: nothing or half of it would be sent */
  take(): void;
  /** Closes those that were taken. */
  destroy(): void;
}

/** A task call, as a client's configuration may look at it. */
export interface TaskCall {
  readonly id: string;
  readonly input: unknown;
}

/** Makes a client over any transport. */
export function createTunnelClient(options: TunnelClientOptions): RemoteClient {
  const { transport, transportFor } = options;
  const codec = createCallCodec(options);
  let isClosed = false;
  const inFlight = new InFlight();
  const closing = options.mayHang === true ? new AbortController() : undefined;
  if (closing !== undefined) allowManyListeners(closing.signal);

  function begin(id: string, call: ClientCallOptions | undefined): void {
    if (typeof id !== "string") throw new TypeError(`A call names its target by id, a string, got ${typeof id}.`);
    if (isClosed) throw clientClosed();
    if (call?.signal === undefined) return;
    call.signal.throwIfAborted();
    allowManyListeners(call.signal);
  }

  function carry(
    via: Transport,
    target: WireTarget,
    body: WireBody,
    call: ClientCallOptions | undefined,
  ): Promise<WireResponse> {
    const { signal, onProgress, onDownloadProgress } = call ?? noOptions;
    const headers = codec.headersFor(body);
    const request = { target, headers, body, signal, onProgress, onDownloadProgress };
    const send = closing === undefined ? via : interruptible(via, closing);
    return onProgress === undefined && onDownloadProgress === undefined ? send(request) : carryReporting(send, request);
  }

  /** What may hang is not waited for when closing does not wait. */
  const interruptible =
    (via: Transport, { signal }: AbortController): Transport =>
    async (request) =>
      settleOrAbort(via(request), signal);

  async function emit(
    id: string,
    payload: unknown,
    returnPayload: boolean,
    call: ClientCallOptions | undefined,
  ): Promise<WireResponse> {
    inFlight.enter();
    try {
      begin(id, call);
      return await carry(transport, { kind: "event", id }, codec.encodeEvent(payload, returnPayload), call);
    } finally {
      inFlight.leave();
    }
  }

  async function send(id: string, input: CallInput, call: ClientCallOptions | undefined): Promise<unknown> {
    inFlight.enter();
    try {
      begin(id, call);
      const body = codec.encodeTask(input);
      const isText = transportFor !== undefined && body.kind === "text";
      const via = isText ? await transportFor({ id, input: input.value }) : transport;
      return codec.decodeTask(await carry(via, { kind: "task", id }, body, call));
    } finally {
      inFlight.leave();
    }
  }

  async function sendStreams(id: string, input: CallInput, call: ClientCallOptions | undefined): Promise<unknown> {
    const streams = options.takeStreams?.(input);
    try {
      streams?.take();
      return await send(id, input, call);
    } catch (error) {
      streams?.destroy();
      throw error;
    }
  }

  async function close(closeOptions?: CloseOptions): Promise<void> {
    isClosed = true;
    if (inFlight.count > 0) {
      // Being told to stop waiting is no failure of closing.
      await Promise.resolve(settleOrAbort(inFlight.whenIdle(), closeOptions?.signal)).catch(() => {
        closing?.abort(clientClosed());
      });
    }
    await options.close?.(closeOptions);
  }

  return {
    async task<I, O>(id: string, value?: I, call?: ClientCallOptions): Promise<O> {
      const input = readCallInput(value);
      const sends = input.isStream || input.files.length > 0 ? sendStreams : send;
      return sends(id, input, call) as Promise<O>;
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

/** A callback that throws fails its call, wherever in the carrier it was called. */
const carryReporting = (via: Transport, request: WireRequest): Promise<WireResponse> =>
  underOwnSignal(request, (own, abort) => {
    const guard =
      <P>(report: ((progress: P) => void) | undefined) =>
      (progress: P): void => {
        try {
          const told = report?.(progress) as unknown;
          if (isThenable(told)) told.then(undefined, abort);
        } catch (error) {
          abort(error);
        }
      };
    const { onProgress, onDownloadProgress } = request;
    return via({
      ...own,
      onProgress: onProgress && guard(onProgress),
      onDownloadProgress: onDownloadProgress && guard(onDownloadProgress),
    });
  });

/** What a call on a closed client, or one that closing cut short, is rejected with. */
export const clientClosed = (): TunnelError => new TunnelError("CLIENT_CLOSED", "The client is closed.");
