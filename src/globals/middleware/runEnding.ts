import { cancellationError } from "../../errors/cancellation";
import { onAbort } from "../../lib/onAbort";
import { longestTimerMs } from "../../lib/timers";
import { frameworkResource } from "../frameworkResource";

/** The moment from which nothing waits any longer: the run begins to dispose of its resources, or its boot is aborted. */
export interface RunEnding {
  readonly hasBegun: boolean;
  /** @param begin called once, at once if the end has begun. @returns what takes that back */
  onBegin(begin: () => void): () => void;
}

/** When the waits of this run end. */
export const runEnding = /* @__PURE__ */ frameworkResource<RunEnding>("globals.resources.runEnding", {
  value(scope) {
    const waiting = new Set<() => void>();
    let hasBegun = false;
    scope.onEnding(() => {
      hasBegun = true;
      for (const begin of waiting) begin();
      waiting.clear();
    });
    return {
      get hasBegun() {
        return hasBegun;
      },
      onBegin(begin) {
        if (hasBegun) begin();
        else waiting.add(begin);
        return () => void waiting.delete(begin);
      },
    };
  },
});

/** What a call rejects with that waited to start when the end of its run began. */
export const notStarted = (taskId: string): Error =>
  cancellationError.create({ reason: `Task "${taskId}" was not started: its run is being disposed of` });

/**
 * Waits. While something waits, its timer keeps the process alive.
 *
 * @returns whether the time has passed; `false` when the end of the run begins first
 * @throws the reason of the signal, when that aborts first
 */
export function pause(delayMs: number, signal: AbortSignal | undefined, ending: RunEnding): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      stopAborting();
      stopEnding();
    };
    const timer = setTimeout(
      () => {
        finish();
        resolve(true);
      },
      Math.min(delayMs, longestTimerMs),
    );
    // Either may call back at once.
    let stopEnding = (): void => {};
    let stopAborting = (): void => {};
    stopAborting = onAbort(signal, () => {
      finish();
      reject(signal?.reason as Error);
    });
    if (signal?.aborted === true) return;
    stopEnding = ending.onBegin(() => {
      finish();
      resolve(false);
    });
  });
}
