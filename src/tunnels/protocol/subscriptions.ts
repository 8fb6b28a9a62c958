import type { SerializerLike } from "../../serializer/codec";
import { lineOf } from "./items";

/** How much is kept of the emissions of one event, for subscribers that come back. */
export interface ReplayLimits {
  /** Emissions. Default 1000. */
  readonly count?: number | undefined;
  /** Bytes of their lines. Default 1 MiB. */
  readonly bytes?: number | undefined;
  /** Age, in ms. Default 300,000. */
  readonly ageMs?: number | undefined;
}

/** Limits of the subscriptions of a server; what is left out keeps its default. */
export interface SubscriptionLimits {
  readonly ring?: ReplayLimits | undefined;
  /** Bytes that may wait for one subscriber; what is emitted beyond them it is not sent, but told how many it missed. Default 256 KiB. */
  readonly queuedBytes?: number | undefined;
  /** How long a subscriber may take nothing while events wait, in ms; then it is cut. Default 60,000. */
  readonly drainMs?: number | undefined;
  /** Most that are open at a time; more get 503. They do not count as calls in flight. Default 2000. */
  readonly open?: number | undefined;
  /** Most events of one subscription; more get 400. Default 100. */
  readonly events?: number | undefined;
}

/** The limits without gaps. */
export interface ResolvedSubscriptionLimits {
  readonly ring: { readonly [K in keyof ReplayLimits]-?: number };
  readonly queuedBytes: number;
  readonly drainMs: number;
  readonly open: number;
  readonly events: number;
}

/** Defaults, each of which an exposure may replace. */
export const subscriptionLimits: ResolvedSubscriptionLimits = {
  ring: { count: 1000, bytes: 1_048_576, ageMs: 300_000 },
  queuedBytes: 262_144,
  drainMs: 60_000,
  open: 2000,
  events: 100,
};

/** Why a subscriber does not get some emissions. */
export type GapReason = "expired" | "unknown" | "slow";

/** What the first line says: where each event stands, by id. */
export function openLine(positions: ReadonlyMap<string, string>, serializer: SerializerLike): string {
  return lineOf({ open: Object.fromEntries(positions) }, serializer);
}

/** What an emission is sent as. */
export const eventLine = (event: string, id: string, payload: unknown, serializer: SerializerLike): string =>
  lineOf(payload === undefined ? { event, id } : { event, id, item: payload }, serializer);

/** What a subscriber is told of emissions that it does not get. */
export const gapLine = (event: string, reason: GapReason, missed: number | null, serializer: SerializerLike): string =>
  lineOf({ gap: { event, reason, missed } }, serializer);

/** Tells of the line behind it which emission it is, and which runs that passed. Sent to subscribers that ask for it. */
export const pathLine = (event: string, path: { readonly id: string; readonly via: string }): string =>
  JSON.stringify({ path: { event, ...path } });
