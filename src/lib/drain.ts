import { InFlight } from "./inFlight";

/** How far a server is on its way to its end. */
export type DrainPhase = "serving" | "draining" | "closed";

/** How long the steps of a drain take, in ms. */
export interface DrainTimes {
  /** Before anything changes for callers: time for a load balancer to see that the server is not ready any more. */
  readonly delayMs: number;
  /** How long requests that are on their way are still served. */
  readonly quietMs: number;
  /** How long calls in flight are waited for, `quietMs` included. */
  readonly graceMs: number;
}

/** How long calls may take to end once their signals have aborted, in ms. */
export const abortedCallsMs = 1000;

export const longestDrainMs = ({ delayMs, graceMs }: DrainTimes): number => delayMs + graceMs + abortedCallsMs;

/**
 * What a server still takes and serves. One record, made before the handler and the servers and given to both.
 *
 * It changes in one direction: `announce`, `endConnections`, `stopAdmitting`, `abort`, `close`.
 */
export class Drain {
  readonly #inFlight = new InFlight();
  readonly #aborters = new Set<() => void>();
  readonly #enders = new Set<() => void>();
  #phase: DrainPhase = "serving";
  #endsConnections = false;
  #admits = true;
  #isAborted = false;
  #lastEnteredAtMs = 0;

  get phase(): DrainPhase {
    return this.#phase;
  }

  /** Whether each connection ends with its current reply. */
  get endsConnections(): boolean {
    return this.#endsConnections;
  }

  /** Whether a request that arrives now is served. */
  get admits(): boolean {
    return this.#admits;
  }

  /** How many requests are in flight. */
  get count(): number {
    return this.#inFlight.count;
  }

  /** When the last request arrived since connections end, in ms of `performance.now()`. */
  get lastEnteredAtMs(): number {
    return this.#lastEnteredAtMs;
  }

  enter(): void {
    this.#inFlight.enter();
    if (this.#endsConnections) this.#lastEnteredAtMs = performance.now();
  }

  leave(): void {
    this.#inFlight.leave();
  }

  whenIdle(): Promise<void> {
    return this.#inFlight.whenIdle();
  }

  /** @param abort called once, when calls are aborted; at once if they are already. @returns what takes that back */
  onAbort(abort: () => void): () => void {
    if (this.#isAborted) abort();
    else this.#aborters.add(abort);
    return () => void this.#aborters.delete(abort);
  }

  /** @param end called once, when nothing further is admitted; at once if nothing is. @returns what takes that back */
  onStopAdmitting(end: () => void): () => void {
    if (this.#admits) this.#enders.add(end);
    else end();
    return () => void this.#enders.delete(end);
  }

  announce(): void {
    if (this.#phase === "serving") this.#phase = "draining";
  }

  endConnections(): void {
    this.#endsConnections = true;
    this.#lastEnteredAtMs = performance.now();
  }

  stopAdmitting(): void {
    this.#admits = false;
    for (const end of this.#enders) {
      this.#enders.delete(end);
      end();
    }
  }

  abort(): void {
    this.#isAborted = true;
    for (const abort of this.#aborters) {
      this.#aborters.delete(abort);
      abort();
    }
  }

  close(): void {
    this.#phase = "closed";
    this.#endsConnections = true;
    this.#admits = false;
  }
}
