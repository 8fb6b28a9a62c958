/** All that jest would fake but `setTimeout` and `clearTimeout`. */
const everythingElse = [
  "Date",
  "hrtime",
  "nextTick",
  "performance",
  "queueMicrotask",
  "setImmediate",
  "clearImmediate",
  "setInterval",
  "clearInterval",
] as const;

export interface StoppedTimeouts extends Disposable {
  /** Lets time pass for what was set since the stop. */
  advance(ms: number): void;
}

/**
 * Keeps timeouts that are set from here on from firing until the test advances them, so that what has to happen
 * before a time is up happens before it on a machine of any speed. Sockets and files go on as they are.
 */
export function stopTimeouts(): StoppedTimeouts {
  jest.useFakeTimers({ doNotFake: [...everythingElse] });
  return {
    advance: (ms) => void jest.advanceTimersByTime(ms),
    [Symbol.dispose]: () => void jest.useRealTimers(),
  };
}
