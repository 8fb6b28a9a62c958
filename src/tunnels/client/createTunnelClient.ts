import { TunnelError } from "../../errors/tunnelError";
import type { MaybePromise } from "../../lib/typeLevel";
import type { DownloadProgress, Transport, UploadProgress, WireBody, WireResponse, WireTarget } from "../protocol/wire";
import type { TunnelClient } from "../routing/tags";
import { createCallCodec, type CallCodecOptions } from "./callCodec";

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
   * Takes no more calls; later ones fail with `CLIENT_CLOSED`. A client with connections of its own waits for the calls
   * under way and lets go of them; over fetch there is nothing to wait for.
   */
  close(options?: CloseOptions): Promise<void>;
}

export interface TunnelClientOptions extends CallCodecOptions {
  readonly transport: Transport;
  /** Another transport for one task call; consulted where the input travels as text. */
  readonly transportFor?: ((call: TaskCall) => MaybePromise<Transport>) | undefined;
  /** Ends what the transport holds; may be called again, to stop waiting. */
  readonly close?: ((options?: CloseOptions) => Promise<void>) | undefined;
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

  function assertUsable(call: ClientCallOptions | undefined): void {
    if (isClosed) throw clientClosed();
    call?.signal?.throwIfAborted();
  }

  function carry(
    via: Transport,
    target: WireTarget,
    body: WireBody,
    call: ClientCallOptions | undefined,
  ): Promise<WireResponse> {
    return via({
      target,
      method: "POST",
      headers: codec.headersFor(body),
      body,
      signal: call?.signal,
      onProgress: call?.onProgress,
      onDownloadProgress: call?.onDownloadProgress,
    });
  }

  async function emit(
    id: string,
    payload: unknown,
    returnPayload: boolean,
    call: ClientCallOptions | undefined,
  ): Promise<WireResponse> {
    assertUsable(call);
    return carry(transport, { kind: "event", id }, codec.encodeEvent(payload, returnPayload), call);
  }

  async function close(closeOptions?: CloseOptions): Promise<void> {
    isClosed = true;
    await options.close?.(closeOptions);
  }

  return {
    async task<I, O>(id: string, input?: I, call?: ClientCallOptions): Promise<O> {
      assertUsable(call);
      const body = codec.encodeTask(input);
      const via = transportFor !== undefined && body.kind === "text" ? await transportFor({ id, input }) : transport;
      return codec.decodeTask(await carry(via, { kind: "task", id }, body, call)) as O;
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

/** What a call on a closed client, or one that closing cut short, is rejected with. */
export const clientClosed = (): TunnelError => new TunnelError("CLIENT_CLOSED", "The client is closed.");
