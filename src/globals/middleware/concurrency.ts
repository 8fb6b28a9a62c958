import { bulkheadError } from "../../errors/middlewareErrors";
import { onAbort } from "../../lib/onAbort";
import { Semaphore } from "../../lib/semaphore";
import { frameworkResource } from "../frameworkResource";
import { builtinTaskMiddleware } from "./builtin";
import { field, schemaOf } from "./checkConfig";
import { notStarted, runEnding, type RunEnding } from "./runEnding";

/** How many calls run at a time. Without `limit` and `semaphore` there is no limit. */
export interface ConcurrencyMiddlewareConfig {
  /** Calls that run at a time, of all tasks that share this config object, or its `key`. */
  readonly limit?: number | undefined;
  /** Tasks whose configs have the same key share one limit, which has to be the same. */
  readonly key?: string | undefined;
  /** Calls that may wait; further ones are refused with `bulkheadError`. Default: any number. */
  readonly queueLimit?: number | undefined;
  /** A semaphore of the application's own, in place of `limit` and `key`. */
  readonly semaphore?: Semaphore | undefined;
}

/** The semaphores of one run. */
export interface ConcurrencyState {
  readonly semaphoresByConfig: WeakMap<ConcurrencyMiddlewareConfig, Semaphore>;
  readonly semaphoresByKey: Map<string, { readonly semaphore: Semaphore; readonly limit: number }>;
}

/** What the limits of this run count. */
export const concurrencyState = /* @__PURE__ */ frameworkResource<ConcurrencyState>("globals.resources.concurrency", {
  value: () => ({ semaphoresByConfig: new WeakMap(), semaphoresByKey: new Map() }),
});

/** Lets a number of calls run at a time; others wait, in the order they came, until they run or their caller leaves. */
export const concurrency = /* @__PURE__ */ builtinTaskMiddleware({
  id: "globals.middleware.concurrency",
  configSchema: /* @__PURE__ */ (() =>
    schemaOf<ConcurrencyMiddlewareConfig>({
      limit: field.positiveCount,
      key: field.text,
      queueLimit: field.count,
      semaphore: { expected: "a Semaphore", holds: isSemaphore },
    }))(),
  dependencies: { state: concurrencyState, ending: runEnding },
  async run(input, { state, ending }, config) {
    const { task, next } = input;
    const semaphore = semaphoreOf(config, state);
    if (semaphore === undefined) return next(task.input);
    if (semaphore.getAvailablePermits() >= 1) await semaphore.acquire();
    else await waitForPermit(semaphore, config, input.signal, { taskId: task.definition.id, ending });
    try {
      return await next(task.input);
    } finally {
      semaphore.release();
    }
  },
});

function semaphoreOf(config: ConcurrencyMiddlewareConfig, state: ConcurrencyState): Semaphore | undefined {
  const { semaphore, limit, key } = config;
  if (semaphore !== undefined) return semaphore;
  if (limit === undefined) return undefined;
  const known = key === undefined ? state.semaphoresByConfig.get(config) : semaphoreOfKey(key, limit, state);
  if (known !== undefined) return known;
  const made = new Semaphore(limit);
  if (key === undefined) state.semaphoresByConfig.set(config, made);
  else state.semaphoresByKey.set(key, { semaphore: made, limit });
  return made;
}

function semaphoreOfKey(key: string, limit: number, { semaphoresByKey }: ConcurrencyState): Semaphore | undefined {
  const known = semaphoresByKey.get(key);
  if (known !== undefined && known.limit !== limit) {
    throw new Error(
      `Concurrency middleware key "${key}" is already registered with limit ${known.limit}, but got ${limit}`,
    );
  }
  return known?.semaphore;
}

interface Waiting {
  readonly taskId: string;
  readonly ending: RunEnding;
}

/** @throws {bulkheadError} enough calls wait already; the reason of the signal; or that the run ends */
async function waitForPermit(
  semaphore: Semaphore,
  { queueLimit = Infinity }: ConcurrencyMiddlewareConfig,
  signal: AbortSignal,
  { taskId, ending }: Waiting,
): Promise<void> {
  if (semaphore.getWaitingCount() >= queueLimit) {
    throw bulkheadError.create({ taskId, limit: semaphore.getMaxPermits(), queueLimit });
  }
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  const stops = [onAbort(signal, leave), ending.onBegin(leave)];
  try {
    await semaphore.acquire({ signal: leaving.signal });
    // It may have left right after it was let through.
    if (leaving.signal.aborted) semaphore.release();
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
  } finally {
    for (const stop of stops) stop();
  }
  if (leaving.signal.aborted) throw signal.aborted ? (signal.reason as Error) : notStarted(taskId);
}

/** By its methods: there may be two copies of the package. */
function isSemaphore(value: unknown): boolean {
  const { acquire, release } = (value ?? {}) as { readonly acquire?: unknown; readonly release?: unknown };
  return typeof acquire === "function" && typeof release === "function";
}
