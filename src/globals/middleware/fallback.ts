import { journal } from "../../define/journal";
import { isTask, type ITask } from "../../define/task";
import { normalizeError } from "../../errors/normaliseThrown";
import { taskRunner } from "../resources/handles";
import { builtinTaskMiddleware } from "./builtin";
import { schemaOf } from "./checkConfig";

/** What stands in for the result of a task that fails. */
export interface FallbackMiddlewareConfig {
  /**
   * A task, which gets the same input and has to be registered; a function `(error, input) => result`; or the result itself.
   */
  readonly fallback: any; // the result of any task
}

const fallbackJournalKeys = /* @__PURE__ */ (() => ({
  /** Whether the fallback stands in. */
  active: journal.createKey<boolean>("globals.middleware.fallback.active"),
  /** Why it does. */
  error: journal.createKey<Error>("globals.middleware.fallback.error"),
}))();

/**
 * Resolves to a fallback when a task fails; the failure counts as handled. Put it outside `retry`. Nothing stands in for a
 * result that its caller no longer waits for.
 */
export const fallback = /* @__PURE__ */ builtinTaskMiddleware({
  id: "globals.middleware.fallback",
  configSchema: /* @__PURE__ */ schemaOf<FallbackMiddlewareConfig>({}),
  journalKeys: fallbackJournalKeys,
  dependencies: { taskRunner },
  async run(input, { taskRunner: runner }, { fallback: standIn }) {
    const { task, next, journal: executionJournal } = input;
    executionJournal.set(fallbackJournalKeys.active, false, { override: true });
    try {
      return await next(task.input);
    } catch (thrown) {
      const { signal } = input;
      if (signal.aborted) throw thrown;
      const error = normalizeError(thrown);
      executionJournal.set(fallbackJournalKeys.active, true, { override: true });
      executionJournal.set(fallbackJournalKeys.error, error, { override: true });
      if (isTask(standIn)) return runner.run(standIn as ITask, task.input, { signal });
      return typeof standIn === "function"
        ? (standIn as (error: Error, input: unknown) => unknown)(error, task.input)
        : (standIn as unknown);
    }
  },
});
