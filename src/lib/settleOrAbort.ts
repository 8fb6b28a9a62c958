import { onAbort } from "./onAbort";
import type { MaybePromise } from "./typeLevel";

/** Rejects with the signal's reason while something that knows no signals takes its time. */
export function settleOrAbort<T>(work: MaybePromise<T>, signal: AbortSignal | undefined): MaybePromise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = onAbort(signal, () => reject(signal.reason as Error));
    Promise.resolve(work).then(resolve, reject).finally(stop);
  });
}
