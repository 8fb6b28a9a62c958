/** Longest delay that a timer can hold, in ms: one that is set to more fires at once. */
export const longestTimerMs = 2_147_483_647;

/** Starts a timer that may be missing: Workers have none in their global scope, before the first request. */
export function tryTimer(callback: () => void, ms: number): ReturnType<typeof setTimeout> | undefined {
  try {
    return setTimeout(callback, ms);
  } catch {
    return undefined;
  }
}

/** Whether something settles in time; a rejection is passed on. */
export async function settlesWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = tryTimer(() => resolve(false), Math.min(timeoutMs, longestTimerMs));
  });
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** A signal that aborts when time is up. */
export interface AbortTimer {
  readonly expired: AbortSignal;
  stop(): void;
}

/** @param timeoutMs 0: at once; past 24 days, which no timer can hold: never @param reasonOf called when it aborts */
export function abortAfter(timeoutMs: number, reasonOf: () => Error): AbortTimer {
  const controller = new AbortController();
  const expire = (): void => controller.abort(reasonOf());
  if (timeoutMs <= 0) expire();
  const timer = timeoutMs > 0 && timeoutMs <= longestTimerMs ? setTimeout(expire, timeoutMs) : undefined;
  return { expired: controller.signal, stop: () => clearTimeout(timer) };
}
