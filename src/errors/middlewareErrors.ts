import { declareError } from "./defineError";

/** What took too long. */
export interface TimeoutErrorData {
  /** How long it was given, in ms. */
  readonly timeoutMs: number;
  /** Id of the task or resource. */
  readonly id: string;
}

/** A task, or the `init` of a resource, took longer than its timeout middleware allows. */
export const timeoutError = /* @__PURE__ */ declareError<TimeoutErrorData>("runner.errors.timeout", {
  name: "TimeoutError",
  httpCode: 504,
  message: ({ timeoutMs }) => `Operation timed out after ${timeoutMs}ms`,
});

/** Which task failed too often of late. */
export interface CircuitOpenErrorData {
  readonly taskId: string;
  /** When the breaker lets a call through again, in ms from now. */
  readonly retryAfterMs: number;
}

/** A circuit breaker refused a call, because the calls before it failed. */
export const circuitOpenError = /* @__PURE__ */ declareError<CircuitOpenErrorData>("runner.errors.circuitOpen", {
  name: "CircuitBreakerOpenError",
  httpCode: 503,
  message: ({ taskId }) => `Circuit is OPEN for task "${taskId}"`,
});

/** Which limit was reached. */
export interface RateLimitErrorData {
  /** How many calls a window admits. */
  readonly limit: number;
  /** When a call is admitted again, in ms since 1970 by the clock of the process that counts. */
  readonly resetTime: number;
  /** The same, in ms from now. */
  readonly retryAfterMs: number;
}

/** A rate limit refused a call. */
export const rateLimitError = /* @__PURE__ */ declareError<RateLimitErrorData>("runner.errors.rateLimit", {
  name: "RateLimitError",
  httpCode: 429,
  message: ({ resetTime }) => `Rate limit exceeded. Try again after ${new Date(resetTime).toISOString()}`,
});

/** Which task has too many callers. */
export interface BulkheadErrorData {
  readonly taskId: string;
  /** How many calls run at a time. */
  readonly limit: number;
  /** How many may wait. */
  readonly queueLimit: number;
}

/** A concurrency middleware refused a call, because enough calls wait already. */
export const bulkheadError = /* @__PURE__ */ declareError<BulkheadErrorData>("runner.errors.bulkhead", {
  name: "BulkheadError",
  httpCode: 503,
  message: ({ taskId, limit, queueLimit }) =>
    `Too many calls of task "${taskId}": ${limit} may run and ${queueLimit} may wait at a time.`,
});
