import type { TunnelError } from "../../../errors/tunnelError";
import type { MaybePromise } from "../../../lib/typeLevel";
import { silenceLimit } from "../../protocol/silence";
import type { WireBody, WireResponse, WireTarget } from "../../protocol/wire";
import type { CallCodec } from "../codec";

/** What a client gives for its subscriptions. Values too: what loads them later brings nothing that the client has. */
export interface ClientParts {
  readonly codec: CallCodec;
  /** Sends a request with the headers of a call, and reads its reply. */
  readonly exchange: (
    target: WireTarget,
    call: { readonly signal: AbortSignal },
    how: ExchangeOfItems,
  ) => Promise<unknown>;
  readonly silenceMs: number | undefined;
  readonly TunnelError: typeof TunnelError;
}

interface ExchangeOfItems {
  readonly write: () => MaybePromise<WireBody>;
  readonly read: (response: WireResponse) => unknown;
  readonly wantsItems: true;
}

/** How errors of a subscription are made. */
export interface Failures {
  readonly fail: (
    code: "STREAM_LOST" | "INVALID_RESPONSE" | "ITEM_TOO_LARGE" | "NOT_A_STREAM" | "SUBSCRIPTIONS_UNSUPPORTED",
    message: string,
    cause?: unknown,
  ) => Error;
  /** The error that the server says the subscription ends with. */
  readonly failureOf: (error: unknown) => Error;
  /** Reads a reply that is no subscription. @returns the failure that it brings, if it is one */
  readonly refusalOf: (response: WireResponse) => Promise<unknown>;
}

/** What subscribing takes. */
export interface SubscriptionParts extends Failures {
  /**
   * Asks for events.
   *
   * @param input what the server is sent
   * @param signal ends the request, and the reply
   */
  readonly request: (input: SubscriptionInput, signal: AbortSignal) => Promise<WireResponse>;
  readonly parse: (line: string) => MaybePromise<unknown>;
  /** Longest line that is read, in bytes. */
  readonly lineBytes: number;
  /** How long a connection may be silent, in ms; at least three heartbeats of the server. */
  readonly silenceMs: number;
}

/** What a server is asked for. */
export interface SubscriptionInput {
  readonly events: readonly string[];
  readonly after?: Readonly<Record<string, string>>;
  readonly path?: true;
}

/** Longest line of events that is read, in bytes. */
const maxLineBytes = 1_048_576;

/** What subscribing takes, of what a client gives for it. */
export function subscriptionParts({
  codec,
  exchange,
  silenceMs = 45_000,
  TunnelError: Failed,
}: ClientParts): SubscriptionParts {
  const read = (response: WireResponse): WireResponse => response;
  return {
    request: (input, signal) =>
      exchange(
        { kind: "subscribe", id: input.events.join(", ") },
        { signal },
        { write: () => codec.encodeTask(codec.readInput(input)), read, wantsItems: true },
      ) as Promise<WireResponse>,
    parse: codec.decodeLine,
    lineBytes: maxLineBytes,
    silenceMs: silenceLimit(silenceMs),
    fail: (code, message, cause) => Object.assign(new Failed(code, message), cause !== undefined && { cause }),
    failureOf: (error) => codec.failureOf(error, undefined),
    async refusalOf(response) {
      try {
        return await codec.decodeTask(response);
      } catch (error) {
        return error;
      }
    },
  };
}
