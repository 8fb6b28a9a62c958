import type { MaybePromise } from "./typeLevel";

/** Rejects with the signal's reason while something that knows no signals takes its time. */
export function settleOrAbort<T>(work: MaybePromise<T>, signal: AbortSignal | undefined): MaybePromise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    const stop = (): void => signal.removeEventListener("abort", abort);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    Promise.resolve(work).then(resolve, reject).finally(stop);
  });
}
