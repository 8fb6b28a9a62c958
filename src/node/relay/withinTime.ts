import { linkSignals } from "../../lib/linkSignals";
import { settleOrAbort } from "../../lib/settleOrAbort";
import type { MaybePromise } from "../../lib/typeLevel";

/**
 * Runs what may take its time, for so long only.
 *
 * @param work is given a signal that aborts with the visitor's, and when the time is over
 * @throws {Error} (as a rejection) it took too long; the message names it
 */
export async function withinTime<T>(
  what: string,
  timeoutMs: number,
  visitor: AbortSignal,
  work: (signal: AbortSignal) => MaybePromise<T>,
): Promise<T> {
  const expiry = new AbortController();
  const { signal, release } = linkSignals([visitor, expiry.signal]);
  const timer = setTimeout(() => expiry.abort(new Error(`${what} took longer than ${timeoutMs} ms.`)), timeoutMs);
  try {
    return await settleOrAbort(work(signal), signal);
  } finally {
    clearTimeout(timer);
    release();
  }
}
