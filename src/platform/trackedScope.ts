import type { IAsyncLocalStorage } from "./asyncStorage";
import { getPlatform } from "./platform";

/** Knows, from inside an async chain, which of the tracked calls in flight it belongs to. */
export interface TrackedScope<Frame> {
  /**
   * Calls `fn` with `frame` in force until its promise settles. What `fn` throws at once is thrown at once.
   * Without AsyncLocalStorage it only calls `fn`.
   */
  run<R>(frame: Frame, fn: () => Promise<R>): Promise<R>;
  /** All frames around the caller that are still in flight, innermost first. */
  frames(): Frame[];
}

interface Entry<Frame> {
  readonly frame: Frame;
  outer: Entry<Frame> | undefined;
  inFlight: boolean;
}

/**
 * Makes a scope with an AsyncLocalStorage of its own, entered only while something tracked is in flight.
 *
 * An enabled storage makes every `await` of the process 2-4 times slower on Node 20, so it is disabled as soon as
 * nothing is in flight. Work that outlives the call it came from still carries that call's entry, hence the flag.
 */
export function createTrackedScope<Frame>(): TrackedScope<Frame> {
  let storage: IAsyncLocalStorage<Entry<Frame>> | null | undefined;
  let inFlightCount = 0;
  let canDisable = true;

  function innermost(): Entry<Frame> | undefined {
    return inFlightCount > 0 ? firstInFlight(storage?.getStore()) : undefined;
  }

  function enter(frame: Frame): Entry<Frame> {
    const outer = innermost();
    // Settled entries are cut out here, or a chain of calls that each outlive their caller would grow for ever.
    if (outer) outer.outer = firstInFlight(outer.outer);
    inFlightCount += 1;
    return { frame, outer, inFlight: true };
  }

  function leave(entry: Entry<Frame>): void {
    entry.inFlight = false;
    inFlightCount -= 1;
    if (inFlightCount > 0 || !canDisable) return;
    try {
      storage?.disable?.();
    } catch {
      // Workers have the method, and it throws.
      canDisable = false;
    }
  }

  return {
    run<R>(frame: Frame, fn: () => Promise<R>): Promise<R> {
      storage = storage === undefined ? openStorage<Entry<Frame>>() : storage;
      if (storage === null) return fn();

      const entry = enter(frame);
      let running: Promise<R>;
      try {
        running = storage.run(entry, fn);
      } catch (error) {
        leave(entry);
        throw error;
      }
      // The derived promise is returned, not kept aside: an ignored failure must still reach the process safety net.
      return running.then(
        (value) => {
          leave(entry);
          return value;
        },
        (error: unknown) => {
          leave(entry);
          throw error;
        },
      );
    },

    frames() {
      const frames: Frame[] = [];
      for (let entry = innermost(); entry; entry = firstInFlight(entry.outer)) frames.push(entry.frame);
      return frames;
    },
  };
}

function firstInFlight<Frame>(innermost: Entry<Frame> | undefined): Entry<Frame> | undefined {
  let entry = innermost;
  while (entry && !entry.inFlight) entry = entry.outer;
  return entry;
}

/** `null` where the platform has none; asked once, when the first call is tracked. */
function openStorage<T>(): IAsyncLocalStorage<T> | null {
  const platform = getPlatform();
  return platform.hasAsyncLocalStorage() ? platform.createAsyncLocalStorage<T>() : null;
}
