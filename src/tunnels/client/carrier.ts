import { TunnelError } from "../../errors/tunnelError";
import type { Transport } from "../protocol/wire";
import type { CallInput } from "./callInput";
import type { HttpErrorDetails } from "./readEnvelope";

/** How a client is closed. */
export interface CloseOptions {
  /** Stops waiting: calls still in flight fail with `CLIENT_CLOSED`. */
  readonly signal?: AbortSignal | undefined;
}

/** Sends calls one way, and holds the connections that this takes. What is particular to the way lives here. */
export interface Carrier {
  readonly send: Transport;
  /** Waits for what is in flight and releases the connections. May be called again, to stop waiting. */
  close(options?: CloseOptions): Promise<void>;
  readonly accepts: Abilities;
  /** Takes over the streams of an input, where the carrier sends streams. */
  claimStreams?(input: CallInput): ClaimedStreams;
  /** Rewrites the details of an `HTTP_ERROR`. */
  describeHttpError?(details: HttpErrorDetails): object;
}

/** Why a carrier sends something not: what clients of pages are limited to, whose messages are loaded late, or a message. */
export type Refusal = "JSON only" | "blobs, no streams" | "blobs, no files of Node" | { readonly refusal: string };

/** What a carrier can send, or why it cannot. */
export interface Abilities {
  /** Inputs that are nothing but bytes. */
  readonly streams: true | Refusal;
  /** Files of any kind. */
  readonly files: true | Refusal;
  /** Files whose bytes only Node can send. */
  readonly nodeFiles: true | Refusal;
  /** Items beside an input. Default: it cannot. */
  readonly items?: true | "unless in a page" | { readonly refusal: string } | undefined;
  /** Whether `close` ends a call that hangs. If not, the client stops waiting for the carrier. */
  readonly abort: boolean;
}

/** The streams that one call has taken over: if it fails, wherever that is, none of them stays open. */
export interface ClaimedStreams {
  /** @throws {Error} one of them was read, or is another call's: nothing or half of it would be sent */
  claim(): void;
  /** Closes those that were claimed. */
  destroy(): void;
}

/**
 * Does something around a transport: asks a hook, limits the time.
 *
 * @returns `next` itself where there is nothing to do
 */
export type TransportLayer = (next: Transport) => Transport;

/** Puts layers around a transport, the first one outermost. */
export const withLayers = (send: Transport, layers: readonly TransportLayer[]): Transport =>
  layers.reduceRight((next, layer) => layer(next), send);

/** What a call on a closed client, or one that closing cut short, is rejected with. */
export const clientClosed = (): TunnelError => new TunnelError("CLIENT_CLOSED", "The client is closed.");
