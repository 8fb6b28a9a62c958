import { getHeapStatistics } from "node:v8";
import {
  callLimitKeys,
  KiB,
  MiB,
  resolveCallLimits,
  type CallLimits,
  type ResolvedCallLimits,
} from "../../../tunnels/http/config/callLimits";
import { amount, fieldsOf, milliseconds } from "../../../lib/configFields";

/** What an exposure accepts. */
export interface ExposureLimits extends CallLimits {
  /** Largest compressed octet-stream once decoded, in bytes. Uncompressed ones have no limit. Default 1 GiB. */
  readonly octet?: { readonly maxSize?: number | undefined } | undefined;
  /** Time for a request's headers, on an own server, in ms. Default 15,000. */
  readonly headersMs?: number | undefined;
  /**
   * Bytes in memory of bodies that are being read and of replies that have not been taken; more get 503, and parts of
   * forms go to a temporary file. Default: a quarter of what the heap of the process may grow to.
   */
  readonly bufferedBytes?: number | undefined;
  /** How long a caller may take nothing of its reply while bytes of it wait, in ms; then it is cut. Default 30,000. */
  readonly replyIdleMs?: number | undefined;
  /** Size of a request's headers, on an own server, in bytes. Default 16 KiB. */
  readonly headerBytes?: number | undefined;
  /** Another name for `http.drain.graceMs`. */
  readonly closeMs?: number | undefined;
}

/** The limits without gaps. */
export interface ResolvedLimits extends ResolvedCallLimits {
  readonly octetBytes: number;
  readonly headersMs: number;
  readonly bufferedBytes: number;
  readonly replyIdleMs: number;
  readonly headerBytes: number;
}

/** Fills the gaps, key by key. @throws {TypeError} a limit is no positive number; the message names the field */
export function resolveLimits(limits: unknown): ResolvedLimits {
  const path = "http.limits";
  const stated = fieldsOf<ExposureLimits>(limits, path, limitKeys);
  const octet = fieldsOf<NonNullable<ExposureLimits["octet"]>>(stated.octet, `${path}.octet`, ["maxSize"]);
  return Object.freeze({
    ...resolveCallLimits(stated, path),
    octetBytes: amount(octet.maxSize, `${path}.octet.maxSize`, KiB * MiB),
    headersMs: milliseconds(stated.headersMs, `${path}.headersMs`, 15_000),
    bufferedBytes: amount(stated.bufferedBytes, `${path}.bufferedBytes`, getHeapStatistics().heap_size_limit / 4),
    replyIdleMs: milliseconds(stated.replyIdleMs, `${path}.replyIdleMs`, 30_000),
    headerBytes: milliseconds(stated.headerBytes, `${path}.headerBytes`, 16 * KiB),
  });
}

const limitKeys: readonly (keyof ExposureLimits)[] = /* @__PURE__ */ (() => [
  ...callLimitKeys,
  "octet",
  "headersMs",
  "bufferedBytes",
  "replyIdleMs",
  "headerBytes",
  "closeMs",
])();
