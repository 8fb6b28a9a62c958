/** Something that has to come on: a body that arrives, a reply that is taken. */
export interface Watched {
  /** How far it has come, in bytes; `undefined` while it is not its sender or reader that it waits for. */
  progress(): number | undefined;
  /** It stood still or was too slow. It is no longer watched. */
  onStalled(): void;
}

/** Slowest pace, as an average over a time. */
export interface LeastRate {
  readonly bytesPerSecond: number;
  readonly overMs: number;
}

/**
 * Finds what stopped moving, or moves too slowly, with one timer for all of it: a timer per request would cost more than
 * the request. Time is counted in sweeps, so that a process which does not get to run cuts no sender for it.
 */
export class PaceWatch {
  /** Looked at for the first time by the next sweep, since nearly everything is gone by then. */
  readonly #watched = new Map<Watched, Pace | undefined>();
  readonly #sweepMs: number;
  readonly #window: { readonly sweeps: number; readonly leastBytes: number } | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param idleMs something is found after standing still for this long, or up to a quarter longer */
  constructor(idleMs: number, rate?: LeastRate) {
    this.#sweepMs = Math.max(1, idleMs / sweepsPerIdle);
    if (rate === undefined || rate.bytesPerSecond === 0) return;
    // A body may stand still for as long as it may stand still, however short the time of the rate is.
    const sweeps = Math.ceil(Math.max(rate.overMs, idleMs) / this.#sweepMs);
    this.#window = { sweeps, leastBytes: (rate.bytesPerSecond * sweeps * this.#sweepMs) / 1000 };
  }

  add(watched: Watched): void {
    this.#watched.set(watched, undefined);
    // The timer outlives what it was started for, so that requests in a row do not start one each.
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#run(), this.#sweepMs);
    // Elsewhere than in Node a timer is a number, and keeps nothing alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  delete(watched: Watched): void {
    this.#watched.delete(watched);
  }

  /** Watches nothing any more, and stops its timer at once. */
  close(): void {
    this.#watched.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #run(): void {
    for (const [watched, pace] of this.#watched) {
      const progress = watched.progress();
      if (pace === undefined) this.#watched.set(watched, new Pace(progress ?? 0));
      else if (pace.isStalled(progress, this.#window)) {
        this.#watched.delete(watched);
        watched.onStalled();
      }
    }
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const sweepsPerIdle = 4;

class Pace {
  #progress: number;
  #idleSweeps = 0;
  #windowStart: number;
  #windowSweeps = 0;

  constructor(progress: number) {
    this.#progress = progress;
    this.#windowStart = progress;
  }

  isStalled(
    progress: number | undefined,
    window: { readonly sweeps: number; readonly leastBytes: number } | undefined,
  ): boolean {
    if (progress === undefined) {
      this.#idleSweeps = 0;
      return false;
    }
    this.#idleSweeps = progress === this.#progress ? this.#idleSweeps + 1 : 0;
    this.#progress = progress;
    if (this.#idleSweeps >= sweepsPerIdle) return true;
    if (window === undefined || (this.#windowSweeps += 1) < window.sweeps) return false;
    const isTooSlow = progress - this.#windowStart < window.leastBytes;
    this.#windowStart = progress;
    this.#windowSweeps = 0;
    return isTooSlow;
  }
}
