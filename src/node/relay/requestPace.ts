import type { IncomingMessage } from "node:http";
import { PaceWatch } from "../../tunnels/http/paceWatch";

/** A body that brings less than this over that time is not on its way any more. */
const leastBytes = 1_024;
const paceMs = 10_000;

/** Finds requests of visitors that have taken their time, and whose bodies bring next to nothing. */
export class RequestPace {
  readonly #watch: PaceWatch;
  readonly #requestMs: number;

  /** @param requestMs how long a request may take whatever its pace, in ms */
  constructor(requestMs: number) {
    const overMs = Math.min(paceMs, requestMs);
    this.#requestMs = requestMs;
    this.#watch = new PaceWatch(overMs, { bytesPerSecond: (leastBytes * 1000) / overMs, overMs });
  }

  /** Until the request has arrived as a whole, or its connection is gone. */
  add(req: IncomingMessage, onStalled: () => void): void {
    const startedMs = performance.now();
    const watched = {
      // One that waits for the application to read is not late by itself.
      progress: () =>
        req.isPaused() || performance.now() - startedMs < this.#requestMs ? undefined : req.socket.bytesRead,
      onStalled,
    };
    this.#watch.add(watched);
    const done = (): void => this.#watch.delete(watched);
    req.once("end", done).once("close", done);
  }
}
