import type { Clock } from "../../relay/clock";
import { longestTimerMs } from "../../lib/timers";

/** The time of this process; wall-clock jumps have no effect on it. */
export const nodeClock: Clock = {
  now: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, longestTimerMs)).unref();
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
};
