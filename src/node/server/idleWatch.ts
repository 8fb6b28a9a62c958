/**
 * Finds bodies that stopped arriving, with one timer for all of them: a timer per request would cost more than the
 * request.
 */
export class IdleWatch {
  /** Who is watched, and which sweep saw them move last. */
  readonly #movedAt = new Map<() => void, number>();
  readonly #sweepMs: number;
  #sweep = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param idleMs something is found after standing still for this long, or up to a quarter longer */
  constructor(idleMs: number) {
    this.#sweepMs = Math.max(1, idleMs / sweepsPerIdle);
  }

  /** @param onIdle called once, unless it is touched in time or deleted */
  add(onIdle: () => void): void {
    this.#movedAt.set(onIdle, this.#sweep);
    // The timer outlives what it was started for, so that requests in a row do not start one each.
    this.#timer ??= setInterval(() => this.#run(), this.#sweepMs).unref();
  }

  /** It moved. */
  touch(onIdle: () => void): void {
    if (this.#movedAt.has(onIdle)) this.#movedAt.set(onIdle, this.#sweep);
  }

  delete(onIdle: () => void): void {
    this.#movedAt.delete(onIdle);
  }

  #run(): void {
    this.#sweep += 1;
    for (const [onIdle, movedAt] of this.#movedAt) {
      if (this.#sweep - movedAt <= sweepsPerIdle) continue;
      this.#movedAt.delete(onIdle);
      onIdle();
    }
    if (this.#movedAt.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const sweepsPerIdle = 4;
