import { createLifecycleListeners } from "./lifecycleListeners";
import { longestTimerMs } from "./timers";

/** What happened to a semaphore or to one of its waiters. */
export type SemaphoreEventType = "queued" | "acquired" | "released" | "timeout" | "aborted" | "disposed";

/** What happened to a semaphore, and the figures right after. */
export interface SemaphoreEvent {
  readonly type: SemaphoreEventType;
  /** Permits that are free. */
  readonly permits: number;
  readonly waiting: number;
  readonly maxPermits: number;
  readonly disposed: boolean;
}

/** How long to wait for a permit. */
export interface SemaphoreAcquireOptions {
  /** Milliseconds; zero, a negative number or none means for ever. */
  readonly timeout?: number | undefined;
  /** Ends the wait when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

export interface SemaphoreMetrics {
  readonly availablePermits: number;
  readonly waitingCount: number;
  readonly maxPermits: number;
  /** Share of permits in use, from 0 to 1. */
  readonly utilization: number;
  readonly disposed: boolean;
}

/**
 * Lets at most `maxPermits` callers through at a time; the others wait in the order they came.
 *
 * Disposable: `using limit = new Semaphore(3)`.
 */
export class Semaphore {
  readonly #maxPermits: number;
  readonly #waiters = new WaitingLine();
  readonly #listeners = createLifecycleListeners<SemaphoreEvent>();
  #available: number;
  #disposed = false;

  /** @throws {Error} `maxPermits` is not above 0 */
  constructor(maxPermits: number) {
    if (!(maxPermits > 0)) throw new Error("maxPermits must be greater than 0");
    this.#maxPermits = maxPermits;
    this.#available = maxPermits;
  }

  /**
   * Takes a permit, waiting for one if none is free. Every permit taken must be given back with `release`.
   *
   * @throws {Error} `Semaphore has been disposed`, `Semaphore acquire timeout after {n}ms` or `Operation was aborted`
   */
  acquire(options?: SemaphoreAcquireOptions): Promise<void> {
    if (this.#disposed) return Promise.reject(disposedError());
    if (options?.signal?.aborted) return Promise.reject(abortedError(options.signal));
    if (this.#available < 1) return this.#wait(options);
    this.#available -= 1;
    this.#emit("acquired");
    return Promise.resolve();
  }

  /** Gives a permit to the longest waiter, or back to the semaphore. Releases beyond the maximum change nothing. */
  release(): void {
    if (this.#disposed) return;
    const next = this.#waiters.first();
    if (next) next.admit();
    else this.#available = Math.min(this.#available + 1, this.#maxPermits);
    this.#emit("released");
  }

  /**
   * Runs `fn` while holding a permit, which is given back however `fn` ends.
   *
   * @throws {Error} no permit was to be had, as `acquire`; then `fn` is not called
   */
  async withPermit<T>(fn: () => Promise<T>, options?: SemaphoreAcquireOptions): Promise<T> {
    await this.acquire(options);
    try {
      return await fn();
    } finally {
      this.release();
    }
  }

  /** Rejects all waiters, present and later ones. Holders of a permit are not disturbed. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (let next = this.#waiters.first(); next; next = this.#waiters.first()) next.refuse(disposedError());
    this.#emit("disposed");
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** How many can be acquired without waiting. */
  getAvailablePermits(): number {
    return this.#available;
  }

  /** How many wait. */
  getWaitingCount(): number {
    return this.#waiters.size;
  }

  /** How many can be held at once. */
  getMaxPermits(): number {
    return this.#maxPermits;
  }

  /** Whether nothing can be acquired any more. */
  isDisposed(): boolean {
    return this.#disposed;
  }

  /** All of these numbers at once. */
  getMetrics(): SemaphoreMetrics {
    return {
      availablePermits: this.#available,
      waitingCount: this.#waiters.size,
      maxPermits: this.#maxPermits,
      utilization: (this.#maxPermits - this.#available) / this.#maxPermits,
      disposed: this.#disposed,
    };
  }

  /**
   * Observes the semaphore. Handlers cannot delay or fail it.
   *
   * @returns a function that stops delivery
   */
  on(type: SemaphoreEventType, handler: (event: SemaphoreEvent) => unknown): () => void {
    return this.#listeners.on(type, handler);
  }

  /** As `on`, for the next event only. */
  once(type: SemaphoreEventType, handler: (event: SemaphoreEvent) => unknown): () => void {
    return this.#listeners.once(type, handler);
  }

  #wait({ timeout = 0, signal }: SemaphoreAcquireOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const leave = (): void => {
        this.#waiters.remove(waiter);
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      const waiter = new Waiter(
        () => {
          leave();
          this.#emit("acquired");
          resolve();
        },
        (error, reason) => {
          leave();
          if (reason) this.#emit(reason);
          reject(error);
        },
      );
      const onAbort = (): void => waiter.refuse(abortedError(signal), "aborted");

      this.#waiters.add(waiter);
      signal?.addEventListener("abort", onAbort);
      if (timeout > 0) {
        const onTimeout = (): void => waiter.refuse(timeoutError(timeout), "timeout");
        timer = setTimeout(onTimeout, Math.min(timeout, longestTimerMs));
      }
      this.#emit("queued");
    });
  }

  #emit(type: SemaphoreEventType): void {
    this.#listeners.emit(type, () => ({
      type,
      permits: this.#available,
      waiting: this.#waiters.size,
      maxPermits: this.#maxPermits,
      disposed: this.#disposed,
    }));
  }
}

/** A place in the line. */
class Waiter {
  previous: Waiter = this;
  next: Waiter = this;

  constructor(
    readonly admit: () => void,
    readonly refuse: (error: Error, reason?: SemaphoreEventType) => void,
  ) {}
}

/** A ring of waiters closed by a sentinel, so that adding, taking the first and removing any take constant time. */
class WaitingLine {
  readonly #end = new Waiter(unreachable, unreachable);
  size = 0;

  first(): Waiter | undefined {
    return this.size > 0 ? this.#end.next : undefined;
  }

  add(waiter: Waiter): void {
    const last = this.#end.previous;
    last.next = waiter;
    waiter.previous = last;
    waiter.next = this.#end;
    this.#end.previous = waiter;
    this.size += 1;
  }

  remove(waiter: Waiter): void {
    waiter.previous.next = waiter.next;
    waiter.next.previous = waiter.previous;
    this.size -= 1;
  }
}

function unreachable(): void {}

const disposedError = (): Error => new Error("Semaphore has been disposed");
const timeoutError = (timeoutMs: number): Error => new Error(`Semaphore acquire timeout after ${timeoutMs}ms`);

/** What a wait that is aborted rejects with; `cause` is the reason of the signal. */
export const abortedError = (signal: AbortSignal | undefined): Error =>
  new Error("Operation was aborted", { cause: signal?.reason });
