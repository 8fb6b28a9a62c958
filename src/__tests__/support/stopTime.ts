/** What jest would fake besides clocks and timers. */
const everythingElse = ["hrtime", "nextTick", "queueMicrotask", "setImmediate", "clearImmediate"] as const;

export interface StoppedTime extends Disposable {
  /** Lets time pass: timers that are due fire in their order. */
  advance(ms: number): void;
}

/**
 * Stops the clocks of this realm, and timers that are set from here on, until the test advances them: what has to happen
 * before a time is up then happens before it on a machine of any speed. Sockets, files and `AbortSignal.timeout` go on.
 */
export function stopTime(): StoppedTime {
  jest.useFakeTimers({ doNotFake: [...everythingElse], now: Date.now() });
  return {
    advance: (ms) => void jest.advanceTimersByTime(ms),
    [Symbol.dispose]: () => void jest.useRealTimers(),
  };
}
