import type { SerializerLike } from "../../serializer/codec";
import { itemsContentType } from "./headers";

/** Limits of the streams of a server; what is left out keeps its default. */
export interface StreamLimits {
  /** Most that are open at a time; more get 503. They do not count as calls in flight. Default 1000. */
  readonly open?: number | undefined;
  /** Longest line, in bytes. Default 1 MiB. */
  readonly lineBytes?: number | undefined;
  /** How long nothing is sent at most, in ms: then a heartbeat is. Default 15,000. */
  readonly heartbeatMs?: number | undefined;
  /** How long a reader may take nothing while items wait, in ms; then it is cut. Default 120,000. */
  readonly drainMs?: number | undefined;
  /** How long a caller that sends items may send nothing while the task waits for one, in ms. Default 45,000. */
  readonly silenceMs?: number | undefined;
}

/** The limits without gaps. */
export type ResolvedStreamLimits = { readonly [K in keyof StreamLimits]-?: number };

/** Defaults, each of which an exposure may replace. */
export const itemLimits: ResolvedStreamLimits = {
  open: 1000,
  lineBytes: 1_048_576,
  heartbeatMs: 15_000,
  drainMs: 120_000,
  silenceMs: 45_000,
};

/** How long a reply is held back until its first line is there, in ms. */
export const headMs = 1000;

/** Whether a caller says that it reads items. Ranges such as every type do not say so. */
export const acceptsItems = (accept: string | string[] | undefined): boolean =>
  accept !== undefined &&
  [accept]
    .flat()
    .join()
    .split(",")
    .some((range) => typeOf(range) === itemsContentType && !/;\s*q=0(\.0*)?\s*(;|$)/i.test(range));

const typeOf = (stated: string): string => (stated.split(";", 1)[0] as string).trim().toLowerCase();

/** What an item is sent as. */
export const itemLine = (item: unknown, serializer: SerializerLike): string => lineOf({ item }, serializer);

/** The line that ends a stream well. */
export const resultLine = (result: unknown, serializer: SerializerLike): string =>
  lineOf(result === undefined ? { ok: true } : { ok: true, result }, serializer);

/** A document as one line: serializers may indent. */
export const lineOf = (document: unknown, serializer: SerializerLike): string =>
  inOneLine(serializer.stringify(document));

export const inOneLine = (text: string): string => (text.includes("\n") ? JSON.stringify(JSON.parse(text)) : text);
