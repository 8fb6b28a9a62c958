import { normalizeError } from "../../errors/normaliseThrown";
import { createLifecycleListeners } from "../../lib/lifecycleListeners";
import { abortedError } from "../../lib/semaphore";
import { createTrackedScope, type TrackedScope } from "../../platform/trackedScope";

/** What happened to a queue or to one of its tasks. */
export type QueueEventType = "enqueue" | "start" | "finish" | "error" | "cancel" | "disposed";

/** What happened to a queue or to one of its tasks. */
export interface QueueEvent {
  readonly type: QueueEventType;
  /** Counts from 1; 0 when the event is about the queue itself. */
  readonly taskId: number;
  readonly disposed: boolean;
  /** Why the task failed; on `error` only. */
  readonly error?: Error | undefined;
}

/** Options of one queued task. */
export interface QueueRunOptions {
  /** Ends the wait when it aborts; a task that already started is not interrupted by it. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of the end of a queue. */
export interface QueueDisposeOptions {
  /** Also abort the signal the tasks were given. Default false. */
  readonly cancel?: boolean | undefined;
}

/**
 * Runs tasks one at a time, in the order they came. A failing task fails its caller only.
 *
 * Disposable: `await using queue = new Queue()` waits for what was queued.
 */
export class Queue {
  readonly #listeners = createLifecycleListeners<QueueEvent>();
  readonly #cancellation = new AbortController();
  readonly #scope: TrackedScope<Queue>;
  /** Settles, never rejecting, once everything queued so far has. */
  #tail: Promise<void> = Promise.resolve();
  #lastTaskId = 0;
  #disposal: Promise<void> | undefined;

  constructor();
  /** @internal Queues that share a scope enter one AsyncLocalStorage between them instead of one each. */
  constructor(scope: TrackedScope<Queue>);
  constructor(scope: TrackedScope<Queue> = createTrackedScope()) {
    this.#scope = scope;
  }

  /**
   * Queues a task and settles as it does. The task receives a signal that aborts on `dispose({ cancel: true })`.
   *
   * @throws {Error} `Queue has been disposed`, `Operation was aborted`, or a dead-lock: a task of this queue that
   * queued another one would wait for itself (detected where there is AsyncLocalStorage)
   */
  run<T>(task: (signal: AbortSignal) => Promise<T>, { signal }: QueueRunOptions = {}): Promise<T> {
    if (this.#disposal) return Promise.reject(new Error("Queue has been disposed"));
    if (signal?.aborted) return Promise.reject(abortedError(signal));
    if (this.#scope.frames().includes(this)) {
      // U+2011 in "Dead‑lock" is part of the message.
      return Promise.reject(new Error("Dead\u2011lock detected: a queued task attempted to queue another task"));
    }
    const taskId = ++this.#lastTaskId;
    this.#emit("enqueue", taskId);
    return new Promise<T>((resolve, reject) => {
      let waiting = true;
      const onAbort = (): void => {
        waiting = false;
        this.#emit("cancel", taskId);
        reject(abortedError(signal));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      // Chained here, so that the task runs in its caller's async context, not in that of the task before it.
      this.#tail = this.#tail.then(() => {
        signal?.removeEventListener("abort", onAbort);
        return waiting ? this.#execute(taskId, task).then(resolve, reject) : undefined;
      });
    });
  }

  /**
   * Refuses new tasks and waits for those already queued. Asked again, it gives the same promise; a later
   * `{ cancel: true }` still aborts.
   */
  dispose({ cancel = false }: QueueDisposeOptions = {}): Promise<void> {
    if (!this.#disposal) {
      this.#disposal = this.#tail;
      this.#emit("disposed", 0);
    }
    if (cancel && !this.#cancellation.signal.aborted) {
      this.#cancellation.abort();
      this.#emit("cancel", 0);
    }
    return this.#disposal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /**
   * Observes the queue. Handlers cannot delay or fail it.
   *
   * @returns a function that stops delivery
   */
  on(type: QueueEventType, handler: (event: QueueEvent) => unknown): () => void {
    return this.#listeners.on(type, handler);
  }

  /** As `on`, for the next event only. */
  once(type: QueueEventType, handler: (event: QueueEvent) => unknown): () => void {
    return this.#listeners.once(type, handler);
  }

  async #execute<T>(taskId: number, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#emit("start", taskId);
    try {
      const value = await this.#scope.run(this, async () => task(this.#cancellation.signal));
      this.#emit("finish", taskId);
      return value;
    } catch (error) {
      this.#emit("error", taskId, normalizeError(error));
      throw error;
    }
  }

  #emit(type: QueueEventType, taskId: number, error?: Error): void {
    this.#listeners.emit(type, () => ({
      type,
      taskId,
      disposed: this.#disposal !== undefined,
      ...(error && { error }),
    }));
  }
}
