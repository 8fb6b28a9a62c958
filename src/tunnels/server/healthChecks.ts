import { normalizeError } from "../../errors/normaliseThrown";
import type { Drain } from "../../lib/drain";
import { linkSignals } from "../../lib/linkSignals";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { abortAfter } from "../../lib/timers";
import type { TaskCell } from "../../runtime/link/taskCell";
import type { Store } from "../../runtime/run/store";
import { healthCheck, type HealthCheckConfig } from "../routing/tags";

export type HealthStatus = "pass" | "warn" | "fail";

/** What one check said when it ran last. */
export interface CheckOutcome {
  readonly status: HealthStatus;
  /** How long it took. */
  readonly ms: number;
  /** What it says of itself, or the message of its error; for eyes that may see it. */
  readonly output?: string | undefined;
}

/** The checks of a run. */
export interface HealthChecks {
  /**
   * Runs those whose outcome is too old, all at once, each at most once at a time.
   *
   * @param affecting "ready": all of them
   * @returns outcomes by the ids of the tasks
   */
  run(affecting: "health" | "ready"): Promise<ReadonlyMap<string, CheckOutcome>>;
}

/**
 * Makes checks of the tasks that carry the tag.
 *
 * @param drain waits for a check that runs, and aborts it when it waits no longer
 * @throws {TypeError} the config of a tag makes no sense; the message names the task
 */
export function createHealthChecks(store: Store, drain: Drain): HealthChecks {
  const checks = store.getTasksWithTag(healthCheck).map(({ id }) => {
    const cell = store.findTask(id) as TaskCell;
    const config = resolveConfig(id, healthCheck.extract(cell.task));
    return { id, affects: config.affects, judge: createCheck(cell, config, drain) };
  });
  return {
    async run(affecting) {
      const asked = checks.filter(({ affects }) => affecting === "ready" || affects === "health");
      return new Map(await Promise.all(asked.map(async ({ id, judge }) => [id, await judge()] as const)));
    },
  };
}

/** The worst of them; "pass" of none. */
export function worstOf(outcomes: Iterable<{ readonly status: HealthStatus }>): HealthStatus {
  const statuses = new Set([...outcomes].map(({ status }) => status));
  return statuses.has("fail") ? "fail" : statuses.has("warn") ? "warn" : "pass";
}

/** Anyone may ask as often as they like, so that a check runs at most once at a time, for all requests together. */
function createCheck(
  cell: TaskCell,
  { timeoutMs, cacheMs }: ResolvedConfig,
  drain: Drain,
): () => Promise<CheckOutcome> {
  let known: { readonly outcome: CheckOutcome; readonly untilMs: number } | undefined;
  let judging: Promise<CheckOutcome> | undefined;
  /** Its time was up, and it goes on all the same. */
  let isStuck = false;

  async function judge(): Promise<CheckOutcome> {
    const startedAtMs = performance.now();
    const expiry = abortAfter(timeoutMs, () => new Error(`Took longer than ${timeoutMs} ms.`));
    const shutdown = new AbortController();
    const stopListening = drain.onAbort(() => shutdown.abort(new Error("The server is closing.")));
    const { signal, release } = linkSignals([expiry.expired, shutdown.signal]);
    let isSettled = false;
    drain.enter();
    let said: Omit<CheckOutcome, "ms">;
    try {
      const work = cell.invoke(undefined, { scope: { signal } }).finally(() => {
        isSettled = true;
        isStuck = false;
      });
      said = readVerdict(await settleOrAbort(work, signal));
    } catch (error) {
      said = { status: "fail", output: normalizeError(error).message };
    } finally {
      isStuck = !isSettled;
      expiry.stop();
      stopListening();
      release();
      drain.leave();
    }
    const endedAtMs = performance.now();
    const { status, output } = said;
    const outcome = { status, ms: Math.round(endedAtMs - startedAtMs), output: output?.slice(0, longestOutput) };
    known = { outcome, untilMs: endedAtMs + cacheMs };
    judging = undefined;
    return outcome;
  }

  return () => {
    if (known !== undefined && (isStuck || performance.now() < known.untilMs)) return Promise.resolve(known.outcome);
    return (judging ??= judge());
  };
}

/** In characters. */
const longestOutput = 1_000;

/** `false` is a failure; what says no status of its own, as most results of tasks, is none. */
function readVerdict(verdict: unknown): Omit<CheckOutcome, "ms"> {
  if (verdict === false) return { status: "fail" };
  const { status, output } = Object(verdict) as { status?: unknown; output?: unknown };
  if (status !== "pass" && status !== "warn" && status !== "fail") return { status: "pass" };
  return typeof output === "string" ? { status, output } : { status };
}

type ResolvedConfig = { readonly [K in keyof HealthCheckConfig]-?: NonNullable<HealthCheckConfig[K]> };

function resolveConfig(id: string, config: HealthCheckConfig = {}): ResolvedConfig {
  const { affects = "ready", timeoutMs = 1_000, cacheMs = 1_000 } = config;
  const isTime = (value: unknown): boolean => typeof value === "number" && value >= 0;
  const flaw =
    affects !== "ready" && affects !== "health"
      ? `affects must be "ready" or "health"`
      : !isTime(timeoutMs)
        ? "timeoutMs must be a number of at least 0"
        : !isTime(cacheMs)
          ? "cacheMs must be a number of at least 0"
          : undefined;
  if (flaw !== undefined) throw new TypeError(`globals.tags.healthCheck of task "${id}": ${flaw}.`);
  return { affects, timeoutMs, cacheMs };
}
