import { journal } from "../../define/journal";
import { timeoutError } from "../../errors/middlewareErrors";
import { onAbort } from "../../lib/onAbort";
import { longestTimerMs } from "../../lib/timers";
import { builtinResourceMiddleware, builtinTaskMiddleware } from "./builtin";
import { field, schemaOf } from "./checkConfig";

/** How long something may take. */
export interface TimeoutMiddlewareConfig {
  /** Milliseconds; 0 or less fails at once. Default 5000, where no config is given at all. */
  readonly ttl: number;
}

/** Of a streamed task `ttl` is the time to its first item. */
export interface TaskTimeoutMiddlewareConfig extends TimeoutMiddlewareConfig {
  /** Of a streamed task: most time between two items, and from the last one to the end, in ms. Default: any. */
  readonly idleMs?: number | undefined;
}

const taskConfigSchema = /* @__PURE__ */ (() =>
  schemaOf<TaskTimeoutMiddlewareConfig>({ ttl: field.milliseconds, idleMs: field.milliseconds }))();

const configSchema = /* @__PURE__ */ (() => schemaOf<TimeoutMiddlewareConfig>({ ttl: field.milliseconds }))();

/** What `timeout` writes to the journal of an execution. */
export const timeoutJournalKeys = /* @__PURE__ */ (() => ({
  /** Aborts when the time is over; aborting it ends the wait. One per attempt. */
  abortController: journal.createKey<AbortController>("globals.middleware.timeout.abortController"),
}))();

/**
 * Rejects with `timeoutError` once a task has taken too long, and aborts the signal of all that is inside: the body, what it
 * calls in turn, and calls to other processes. A body that does not look at its signal goes on, and its outcome is ignored.
 */
export const taskTimeout = /* @__PURE__ */ builtinTaskMiddleware({
  id: "globals.middleware.timeout.task",
  configSchema: taskConfigSchema,
  journalKeys: timeoutJournalKeys,
  run: async (input, _dependencies, config) => {
    const { task, next, journal: executionJournal, signal } = input;
    const timeoutMs = readTimeout(config);
    const { id } = task.definition;
    if (timeoutMs === 0) throw timeoutError.create({ timeoutMs, id });
    const controller = new AbortController();
    executionJournal.set(timeoutJournalKeys.abortController, controller, { override: true });
    // The controller follows the caller, so that what is inside needs to follow nothing but its signal.
    const leftMs = Math.min(timeoutMs, input.deadline?.remainingMs ?? Infinity);
    const limits = {
      signal: controller.signal,
      timeoutMs: Number.isFinite(leftMs) ? leftMs : undefined,
      detached: true,
    };
    const limit = { timeoutMs, id, controller, signal };
    const result: unknown = await withinTime(() => next(task.input, limits), limit);
    const { idleMs } = config as Partial<TaskTimeoutMiddlewareConfig>;
    return idleMs === undefined || task.definition.streams !== true
      ? result
      : withinIdleTime(result as AsyncIterable<unknown>, { ...limit, timeoutMs: idleMs });
  },
});

/** Fails the boot with `timeoutError` when the `init` of a resource takes too long. The `init` itself is not stopped. */
export const resourceTimeout = /* @__PURE__ */ builtinResourceMiddleware({
  id: "globals.middleware.timeout.resource",
  configSchema,
  run: async ({ resource, next }, _dependencies, config) => {
    const timeoutMs = readTimeout(config);
    const { id } = resource.definition;
    if (timeoutMs === 0) throw timeoutError.create({ timeoutMs, id });
    return withinTime(() => next(), { timeoutMs, id, controller: new AbortController() });
  },
});

/** Attached without a config the `ttl` is missing. */
const readTimeout = ({ ttl = 5000 }: Partial<TimeoutMiddlewareConfig>): number => Math.max(0, ttl);

interface Limit {
  readonly timeoutMs: number;
  /** Of what has to be in time. */
  readonly id: string;
  /** Aborted when the time is over; aborted from inside, it is over at once. */
  readonly controller: AbortController;
  /** The caller's. */
  readonly signal?: AbortSignal;
}

/** Items, of which none may keep its reader waiting for longer. */
const withinIdleTime = (items: AsyncIterable<unknown>, limit: Limit): AsyncIterable<unknown> => ({
  [Symbol.asyncIterator]() {
    const inner = items[Symbol.asyncIterator]();
    const close = async (): Promise<IteratorResult<unknown>> => {
      await inner.return?.();
      return { done: true, value: undefined };
    };
    return {
      async next() {
        try {
          return (await withinTime(() => inner.next(), limit)) as IteratorResult<unknown>;
        } catch (error) {
          void close().catch(() => {});
          throw error;
        }
      },
      return: close,
    };
  },
});

/** Settles as the work does, unless its time is over or the caller leaves. Nothing is left behind either way. */
function withinTime(work: () => Promise<unknown>, { timeoutMs, id, controller, signal }: Limit): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      stop();
      controller.signal.removeEventListener("abort", onOver);
    };
    const onOver = (): void => {
      finish();
      const error = timeoutError.create({ timeoutMs, id });
      reject(error);
      controller.abort(error);
    };
    const timer = setTimeout(onOver, Math.min(timeoutMs, longestTimerMs));
    let stop = (): void => {};
    controller.signal.addEventListener("abort", onOver);
    stop = onAbort(signal, () => {
      finish();
      reject(signal?.reason as Error);
      controller.abort(signal?.reason);
    });
    if (!controller.signal.aborted) work().finally(finish).then(resolve, reject);
  });
}
