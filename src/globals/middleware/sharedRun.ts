import type { ITaskMiddlewareExecutionInput } from "../../define/middleware";
import { onAbort } from "../../lib/onAbort";

/**
 * One run of a task for several callers. It is made by the call of one of them, in whose async context it runs, and goes on
 * while any of them waits for it: the last one to leave aborts it.
 */
export class SharedRun {
  readonly #controller = new AbortController();
  readonly #callers = new Set<Caller>();
  readonly #onEmpty: () => void;
  #hasStarted = false;

  /** @param onEmpty called when the last caller has left before there was an outcome */
  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  /**
   * Waits for the outcome, and makes the run if it is chosen to.
   *
   * @throws what the run throws; the reason of the caller's signal; or what the callers are refused with
   */
  async join({
    task,
    next,
    signal,
  }: Pick<ITaskMiddlewareExecutionInput, "task" | "next" | "signal">): Promise<unknown> {
    const caller = new Caller();
    this.#callers.add(caller);
    const stop = onAbort(signal, () => this.#leave(caller, signal.reason));
    try {
      // Awaited, so that the run is made in the async context of this call.
      if (!this.#hasStarted && (await caller.turn) && !this.#controller.signal.aborted) {
        this.#settleWith(next(task.input, { signal: this.#controller.signal, detached: true }));
      }
      return await caller.outcome;
    } finally {
      stop();
    }
  }

  /** Has the call that joined last make the run. */
  start(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    const callers = [...this.#callers];
    const last = callers.pop();
    for (const caller of callers) caller.endTurn(false);
    last?.endTurn(true);
  }

  /** Rejects all callers. */
  refuse(reason: unknown): void {
    for (const caller of this.#callers) this.#leave(caller, reason);
  }

  #settleWith(running: Promise<unknown>): void {
    running.then(
      (value) => {
        for (const caller of this.#callers) caller.resolve(value);
        this.#callers.clear();
      },
      (error: unknown) => {
        for (const caller of this.#callers) caller.reject(error);
        this.#callers.clear();
      },
    );
  }

  #leave(caller: Caller, reason: unknown): void {
    if (!this.#callers.delete(caller)) return;
    caller.reject(reason);
    if (this.#callers.size > 0) return;
    this.#controller.abort(reason);
    this.#onEmpty();
  }
}

/** What one call waits for. */
class Caller {
  endTurn!: (makesRun: boolean) => void;
  resolve!: (value: unknown) => void;
  reject!: (reason: unknown) => void;
  /** Whether this call makes the run. */
  readonly turn: Promise<boolean>;
  readonly outcome: Promise<unknown>;

  constructor() {
    this.turn = new Promise((resolve) => (this.endTurn = resolve));
    this.outcome = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = (reason) => {
        // What left does not make the run either, and goes on to learn why.
        this.endTurn(false);
        reject(reason);
      };
    });
    // It may be rejected before the call has come to wait for it.
    this.outcome.catch(() => {});
  }
}
