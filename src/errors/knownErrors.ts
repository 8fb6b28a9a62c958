import { deadlineExceededError } from "./deadlineExceeded";
import type { IErrorHelper } from "./defineError";
import { idempotencyCodes } from "./idempotencyErrors";
import { bulkheadError, circuitOpenError, rateLimitError, timeoutError } from "./middlewareErrors";

/**
 * The errors that cross between processes: those that an application registers, and those of the framework which are
 * meant for callers. The latter need not be registered, so that a process between two others passes them on.
 */
export function withFrameworkErrors(registered: ReadonlyMap<string, IErrorHelper>): ReadonlyMap<string, IErrorHelper> {
  const ours: readonly IErrorHelper[] = [
    deadlineExceededError,
    timeoutError,
    circuitOpenError,
    rateLimitError,
    bulkheadError,
    ...idempotencyCodes.map(([helper]) => helper),
  ];
  return new Map([...ours.map((helper) => [helper.id, helper] as const), ...registered]);
}
