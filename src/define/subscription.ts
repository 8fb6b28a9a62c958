import type { EventReference, PayloadOf } from "./event";
import type { EventIdOf } from "./remote";

/** An event to subscribe to: its definition, or its id. */
export type SubscribableEvent = string | EventReference<any>;

/** One occurrence of an event, as a subscription gives it. */
export interface HeardEvent<Id = string, P = unknown> {
  /** Id of the event: of a subscription to several ones it tells which payload this is. */
  readonly event: Id;
  /** Where in the events of its kind this one stands: what `after` takes to go on behind it. */
  readonly id: string;
  readonly payload: P;
}

/** Payloads of events by id, where a module's type says them. */
type PayloadsById = Readonly<Record<string, { readonly payload: unknown }>>;

/** What a subscription to these events gives: a union, which `event` tells apart. */
export type HeardOf<E, ById = PayloadsById> = E extends string
  ? HeardEvent<E, E extends keyof ById ? (ById[E] extends { readonly payload: infer P } ? P : unknown) : unknown>
  : HeardEvent<EventIdOf<E>, PayloadOf<E>>;

/** Events that were emitted and that a subscription does not give. */
export interface SubscriptionGap {
  /** Id of the event. */
  readonly event: string;
  /**
   * `expired`: the server no longer has them; `unknown`: it does not know where the subscription stood, as after a restart;
   * `slow`: they came faster than they were taken.
   */
  readonly reason: "expired" | "unknown" | "slow" | (string & {});
  /** How many; `null` where that is not known. */
  readonly missed: number | null;
}

/** Options of a subscription. */
export interface SubscribeOptions {
  /** Where to go on, by the id of the event: the `id` of the last one that was dealt with. Default: what is emitted from now on. */
  readonly after?: Readonly<Record<string, string | undefined>> | undefined;
  /** Called in its place among the events, whenever some are missing. What it throws ends the subscription. */
  readonly onGap?: ((gap: SubscriptionGap) => void) | undefined;
  /**
   * Called whenever events begin to be listened to: at first, and after each lost connection. `positions` are where the
   * events stand then, by id.
   */
  readonly onOpen?: ((positions: Readonly<Record<string, string>>) => void) | undefined;
  /** Ends the subscription: its loop rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Events as they are emitted, without an end of its own. Listening begins when the first one is asked for, and ends with the
 * loop. It can be iterated once.
 */
export interface Subscription<Heard = HeardEvent> {
  [Symbol.asyncIterator](): AsyncIterator<Heard, undefined, undefined>;
}
