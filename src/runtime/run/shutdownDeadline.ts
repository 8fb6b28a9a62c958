import { shutdownTimeoutError } from "../../errors/runErrors";
import { settlesWithin } from "../../lib/timers";
import type { Logger } from "../logger";
import { fromRun } from "./fromRun";
import type { WiredRun } from "./wireRun";

/**
 * Waits for something that ends a run, for as long as that may take.
 *
 * @returns `undefined` when it settled in time, else the error that names what did not, which has been logged
 * @throws (as a rejection) what the work rejects with in time
 */
export type ShutdownDeadline = (work: Promise<unknown>, reason: string) => Promise<Error | undefined>;

/** @param pending what has not settled, in words */
export function createShutdownDeadline(
  { logger, options: { shutdownTimeoutMs }, drains }: WiredRun<Logger>,
  pending: () => readonly string[],
): ShutdownDeadline {
  return async (work, reason) => {
    if (await settlesWithin(work, drains.longestMs + shutdownTimeoutMs)) return undefined;
    const error = shutdownTimeoutError.create({ reason, timeoutMs: shutdownTimeoutMs, pending: pending() });
    await settleLog(logger.error(error.message, fromRun));
    return error;
  };
}

/** Waits for the listeners of a log, as the process may end after it; one of them may be what does not settle. */
export async function settleLog(logged: Promise<void>): Promise<void> {
  await settlesWithin(logged, lastLogMs);
}

const lastLogMs = 1_000;
