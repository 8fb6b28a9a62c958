import { longestTimerMs } from "../../../lib/timers";
import { batchLimits, type BatchLimits, type ResolvedBatchLimits } from "../../protocol/batch";
import { itemLimits, type ResolvedStreamLimits, type StreamLimits } from "../../protocol/items";
import type { ResolvedSubscriptionLimits, SubscriptionLimits } from "../../protocol/subscriptions";
import { resolveSubscriptionLimits } from "./subscriptionLimits";
import type { LeastRate } from "../paceWatch";
import { amount, fieldsOf, milliseconds } from "../../../lib/configFields";

/** Limits of JSON bodies. */
export interface JsonLimits {
  /** Largest body, in bytes. Default 2 MiB. */
  readonly maxSize?: number | undefined;
}

/** Limits of multipart bodies; what is left out keeps its default. */
export interface MultipartLimits {
  /** Longest name of a part, be it a field or a file, in bytes. Default 100. */
  readonly fieldNameSize?: number | undefined;
  /** Largest field, the manifest among them, in bytes. Default 1 MiB. */
  readonly fieldSize?: number | undefined;
  /** The manifest counts. Default 100. */
  readonly fields?: number | undefined;
  /** Largest file, in bytes. Default 20 MiB. */
  readonly fileSize?: number | undefined;
  /** Default 10. */
  readonly files?: number | undefined;
  /**
   * Largest form, in bytes: files, fields, part headers, and what stands before the first boundary or between. What comes
   * after the last one is thrown away. Default: `files` times `fileSize`, `fields` times `fieldSize`, and 1 MiB.
   */
  readonly totalSize?: number | undefined;
  /** Fields and files together. Default: as many as fields and files allow. */
  readonly parts?: number | undefined;
  /** Without effect, for configs of 5.x: the parser reads 16 KiB and 2000 headers of a part, whatever is said here. */
  readonly headerPairs?: number | undefined;
  /** Bytes per request that are kept in memory while they are not read; more goes to a temporary file. Default 1 MiB. */
  readonly memory?: number | undefined;
}

/** What every HTTP edge limits of its calls. */
export interface CallLimits {
  readonly json?: JsonLimits | undefined;
  readonly multipart?: MultipartLimits | undefined;
  /** How long the validator tasks of one request may take, in ms; then 503. Default 10,000. */
  readonly authMs?: number | undefined;
  /** Longest pause inside a JSON or multipart body, in ms; then 408. Default 30,000. */
  readonly bodyIdleMs?: number | undefined;
  /**
   * Least rate of a JSON or multipart body, in bytes per second, on average over `bodyRateMs`; then 408. 0 for none.
   * Time in which the task's reading holds the body back does not count. Default 1024.
   */
  readonly bodyBytesPerSecond?: number | undefined;
  /** Time over which `bodyBytesPerSecond` is measured, in ms; at least `bodyIdleMs`. Default 30,000. */
  readonly bodyRateMs?: number | undefined;
  /**
   * Requests whose callers wait for a reply or are still taking it; more get 503. A caller that leaves gives its place
   * back at once, also while its task goes on. Default 1000.
   */
  readonly inFlight?: number | undefined;
  /** Calls being served, those whose callers have left among them, as their tasks go on; more get 503. Default 10,000. */
  readonly running?: number | undefined;
  /** Most time that a call gets, in ms; then 504. Default: as long as its caller leaves it, by `x-runner-deadline-ms`. */
  readonly maxDeadlineMs?: number | undefined;
  /** Streams of items, as streamed tasks reply with. */
  readonly streams?: StreamLimits | undefined;
  /** Batches: several calls that come in one request. */
  readonly batch?: BatchLimits | undefined;
  /** Subscriptions to events. */
  readonly subscriptions?: SubscriptionLimits | undefined;
}

/** The limits without gaps. */
export interface ResolvedCallLimits {
  readonly jsonBytes: number;
  readonly multipart: Required<{ readonly [K in keyof MultipartLimits]: number }>;
  readonly authMs: number;
  readonly bodyIdleMs: number;
  readonly bodyRate: LeastRate;
  readonly inFlight: number;
  readonly running: number;
  readonly maxDeadlineMs: number | undefined;
  readonly streams: ResolvedStreamLimits;
  readonly batch: ResolvedBatchLimits;
  readonly subscriptions: ResolvedSubscriptionLimits;
}

export const KiB = 1024;
export const MiB = 1_048_576;

const multipartDefaults = {
  fieldNameSize: 100,
  fieldSize: MiB,
  fields: 100,
  fileSize: 20_971_520,
  files: 10,
  headerPairs: 2000,
  memory: MiB,
};

/** The keys of `CallLimits`. */
export const callLimitKeys: readonly (keyof CallLimits)[] = [
  "json",
  "multipart",
  "authMs",
  "bodyIdleMs",
  "bodyBytesPerSecond",
  "bodyRateMs",
  "inFlight",
  "running",
  "maxDeadlineMs",
  "streams",
  "batch",
  "subscriptions",
];

const batchKeys: readonly (keyof BatchLimits)[] = ["lines", "bytes"];
const streamKeys: readonly (keyof StreamLimits)[] = ["open", "lineBytes", "heartbeatMs", "drainMs", "silenceMs"];

/** Fills the gaps, key by key. @throws {TypeError} a limit is no positive number; the message names the field */
export function resolveCallLimits(
  stated: { readonly [K in keyof CallLimits]?: unknown },
  path: string,
): ResolvedCallLimits {
  const json = fieldsOf<JsonLimits>(stated.json, `${path}.json`, ["maxSize"]);
  const batch = fieldsOf<BatchLimits>(stated.batch, `${path}.batch`, batchKeys);
  const streams = fieldsOf<StreamLimits>(stated.streams, `${path}.streams`, streamKeys);
  return {
    jsonBytes: amount(json.maxSize, `${path}.json.maxSize`, 2 * MiB),
    multipart: resolveMultipart(stated.multipart, `${path}.multipart`),
    authMs: milliseconds(stated.authMs, `${path}.authMs`, 10_000),
    bodyIdleMs: milliseconds(stated.bodyIdleMs, `${path}.bodyIdleMs`, 30_000),
    bodyRate: {
      bytesPerSecond: amount(stated.bodyBytesPerSecond, `${path}.bodyBytesPerSecond`, KiB),
      overMs: milliseconds(stated.bodyRateMs, `${path}.bodyRateMs`, 30_000),
    },
    inFlight: amount(stated.inFlight, `${path}.inFlight`, 1000),
    running: amount(stated.running, `${path}.running`, 10_000),
    maxDeadlineMs:
      stated.maxDeadlineMs === undefined
        ? undefined
        : milliseconds(stated.maxDeadlineMs, `${path}.maxDeadlineMs`, longestTimerMs),
    streams: {
      open: amount(streams.open, `${path}.streams.open`, itemLimits.open),
      lineBytes: amount(streams.lineBytes, `${path}.streams.lineBytes`, itemLimits.lineBytes),
      heartbeatMs: milliseconds(streams.heartbeatMs, `${path}.streams.heartbeatMs`, itemLimits.heartbeatMs),
      drainMs: milliseconds(streams.drainMs, `${path}.streams.drainMs`, itemLimits.drainMs),
      silenceMs: milliseconds(streams.silenceMs, `${path}.streams.silenceMs`, itemLimits.silenceMs),
    },
    batch: {
      lines: amount(batch.lines, `${path}.batch.lines`, batchLimits.lines),
      bytes: amount(batch.bytes, `${path}.batch.bytes`, batchLimits.bytes),
      isStated: batch.lines !== undefined,
    },
    subscriptions: resolveSubscriptionLimits(stated.subscriptions, `${path}.subscriptions`),
  };
}

function resolveMultipart(limits: unknown, path: string): ResolvedCallLimits["multipart"] {
  const keys = Object.keys(multipartDefaults) as (keyof typeof multipartDefaults)[];
  const stated = fieldsOf<MultipartLimits>(limits, path, [...keys, "parts", "totalSize"]);
  const resolved = { ...multipartDefaults };
  for (const key of keys) resolved[key] = amount(stated[key], `${path}.${key}`, multipartDefaults[key]);
  const { fields, fieldSize, files, fileSize } = resolved;
  return {
    ...resolved,
    parts: amount(stated.parts, `${path}.parts`, fields + files),
    totalSize: amount(stated.totalSize, `${path}.totalSize`, sizeOf(files, fileSize) + sizeOf(fields, fieldSize) + MiB),
  };
}

/** None of something endless is nothing. */
const sizeOf = (count: number, bytes: number): number => (count === 0 ? 0 : count * bytes);
