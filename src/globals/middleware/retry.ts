import { journal } from "../../define/journal";
import type { GivenExecutionInput, ITaskMiddlewareExecutionInput } from "../../define/middleware";
import { normalizeError } from "../../errors/normaliseThrown";
import { assertSync } from "../../lib/assertSync";
import type { Store } from "../../runtime/run/store";
import { explainFailure } from "../../tunnels/protocol/callFailure";
import { judgeRepeat, tellDelivery, type RepeatVerdict } from "../../tunnels/protocol/safeRepeat";
import { idempotent } from "../../tunnels/routing/idempotency";
import { store } from "../resources/handles";
import { builtinResourceMiddleware, builtinTaskMiddleware } from "./builtin";
import { field, schemaOf } from "./checkConfig";
import { pause, runEnding, type RunEnding } from "./runEnding";
import { timeoutJournalKeys } from "./timeout";

/** When what failed is tried again. */
export interface RetryMiddlewareConfig {
  /** How often it is tried again, so that it runs at most `retries + 1` times. Default 3. */
  readonly retries?: number | undefined;
  /** Errors after which it is not tried again. Default: none. */
  readonly stopRetryIf?: ((error: Error) => boolean) | undefined;
  /** The errors after which it is tried again. Default: all. */
  readonly onlyIf?: ((error: Error) => boolean) | undefined;
  /** How long to wait after a failure, in ms; `attempt` is 0 for the first one. Default `100 * 2 ** attempt`. */
  readonly delayStrategy?: ((attempt: number, error: Error) => number) | undefined;
  /** Wait a random part of the delay, so that callers that failed together do not come back together. Default false. */
  readonly jitter?: boolean | undefined;
}

const configSchema = /* @__PURE__ */ (() =>
  schemaOf<RetryMiddlewareConfig>({
    retries: field.count,
    stopRetryIf: field.function,
    onlyIf: field.function,
    delayStrategy: field.function,
    jitter: field.boolean,
  }))();

const retryJournalKeys = /* @__PURE__ */ (() => ({
  /** How often it was tried again; 0 while it is tried for the first time. */
  attempt: journal.createKey<number>("globals.middleware.retry.attempt"),
  /** Why it was tried again last. */
  lastError: journal.createKey<Error>("globals.middleware.retry.lastError"),
}))();

/**
 * Tries a task again that failed, with the same input. What its caller no longer waits for is not tried again, nor what a
 * timeout middleware ended. Of tasks that a tunnel routes only those calls are repeated that were not taken, and of tasks
 * tagged `globals.tags.idempotent`, and of calls with an idempotency key, also those of which no reply came.
 */
export const taskRetry = /* @__PURE__ */ builtinTaskMiddleware({
  id: "globals.middleware.retry.task",
  refusesItems: true,
  configSchema,
  journalKeys: retryJournalKeys,
  dependencies: { store, ending: runEnding },
  async run(input, { store: container, ending }, config) {
    const { task, next, journal: executionJournal } = input;
    executionJournal.set(retryJournalKeys.attempt, 0, { override: true });
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await next(task.input);
      } catch (thrown) {
        if (executionJournal.get(timeoutJournalKeys.abortController)?.signal.aborted === true) throw thrown;
        const verdict = judge(thrown, input, container);
        if (!mayRetry(thrown, attempt, config)) throw thrown;
        if (verdict?.isSafe === false) throw explain(thrown, verdict);
        if (input.signal.aborted) throw thrown;
        await backOff({ thrown, attempt }, config, ending, input);
        executionJournal.set(retryJournalKeys.attempt, attempt + 1, { override: true });
        executionJournal.set(retryJournalKeys.lastError, normalizeError(thrown), { override: true });
      }
    }
  },
});

/** Tries the `init` of a resource again that failed. An aborted boot waits for no further try. */
export const resourceRetry = /* @__PURE__ */ builtinResourceMiddleware({
  id: "globals.middleware.retry.resource",
  configSchema,
  dependencies: { ending: runEnding },
  async run({ next }, { ending }, config) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await next();
      } catch (thrown) {
        if (!mayRetry(thrown, attempt, config)) throw thrown;
        await backOff({ thrown, attempt }, config, ending);
      }
    }
  },
});

function mayRetry(thrown: unknown, attempt: number, config: RetryMiddlewareConfig): boolean {
  const { retries = 3, stopRetryIf, onlyIf } = config;
  if (attempt >= retries) return false;
  const error = normalizeError(thrown);
  return (
    assertSync(stopRetryIf?.(error), "config.stopRetryIf") !== true &&
    assertSync(onlyIf?.(error), "config.onlyIf") !== false
  );
}

/** @throws what failed, when the end of the run begins, or no time is left; or the reason of the signal */
async function backOff(
  { thrown, attempt }: { readonly thrown: unknown; readonly attempt: number },
  { delayStrategy = exponential, jitter = false }: RetryMiddlewareConfig,
  ending: RunEnding,
  call?: Pick<ITaskMiddlewareExecutionInput, "signal" | "deadline">,
): Promise<void> {
  if (ending.hasBegun) throw thrown;
  const delayMs =
    assertSync(delayStrategy(attempt, normalizeError(thrown)), "config.delayStrategy") * (jitter ? Math.random() : 1);
  const { remainingMs = Infinity } = call?.deadline ?? {};
  if (delayMs >= remainingMs) throw thrown;
  if (delayMs > 0 && !(await pause(delayMs, call?.signal, ending))) throw thrown;
}

const exponential = (attempt: number): number => 100 * 2 ** attempt;

/**
 * Whether running a task once more can do twice what is meant to be done once; of a task of this process its author decides. A
 * call to another process says in its error how far it came.
 */
function judge(
  thrown: unknown,
  { task: { definition }, idempotencyKey }: GivenExecutionInput,
  container: Store,
): RepeatVerdict | undefined {
  const task = container.tasks.get(definition.id)?.task;
  if (task?.isTunneled !== true) return undefined;
  const verdict = judgeRepeat(thrown, idempotencyKey !== undefined || idempotent.exists(task));
  tellDelivery(thrown, verdict.delivery);
  return verdict;
}

const explain = (thrown: unknown, { delivery }: RepeatVerdict): unknown =>
  explainFailure(
    thrown,
    delivery === "answered"
      ? "not tried again: this is the reply, so the call was made"
      : "not tried again: it may have been taken; tag the task with globals.tags.idempotent if it may run twice, or give the call an idempotencyKey",
  );
