import { contextHeader } from "./contextHeader";
import {
  deadlineHeader,
  emissionIdHeader,
  idempotencyKeyHeader,
  requestIdHeader,
  traceParentHeader,
  traceStateHeader,
  viaHeader,
} from "./headers";

/** The media type of a batch, and of the replies to its calls. */
export const batchContentType = "application/x-runner-batch";

/**
 * The headers that belong to one call, and therefore to its line. Whatever else a request has, credentials among it, belongs
 * to the batch.
 */
export const perCallHeaders: ReadonlySet<string> = /* @__PURE__ */ new Set([
  contextHeader,
  requestIdHeader,
  deadlineHeader,
  emissionIdHeader,
  viaHeader,
  idempotencyKeyHeader,
  traceParentHeader,
  traceStateHeader,
]);

/** Limits of the batches of a server; what is left out keeps its default. */
export interface BatchLimits {
  /**
   * Most calls of one batch; 0 serves none, and callers then send each call by itself. Default 256, and 0 where validator tasks
   * decide who may call: what they see of a batch is its own path, not those of its calls.
   */
  readonly lines?: number | undefined;
  /** Largest batch, in bytes. Default 2 MiB. */
  readonly bytes?: number | undefined;
}

/** The limits without gaps. */
export interface ResolvedBatchLimits {
  readonly lines: number;
  readonly bytes: number;
  /** Whether the configuration says how many lines a batch may have. */
  readonly isStated?: boolean;
}

/** Defaults, each of which an exposure may replace. */
export const batchLimits: ResolvedBatchLimits = { lines: 256, bytes: 2_097_152 };
