import { defineResourceMiddleware, defineTaskMiddleware } from "../../define/createMiddleware";
import { globalTags } from "../tags";
import { getConfig } from "./debugTag";
import { hookInterceptor, middlewareInterceptor } from "./interceptors";
import { debugConfig, debugLogger, isOfFramework, logAround } from "./logAround";

/** Logs what tasks are given and what becomes of them. */
export const taskTracker = /* @__PURE__ */ (() =>
  defineTaskMiddleware({
    id: "globals.debug.middleware.task.executionTracker",
    tags: [globalTags.system],
    everywhere: (task) => !isOfFramework(task),
    dependencies: { config: debugConfig, logger: debugLogger },
    run({ task: { definition, input }, next }, { config, logger }) {
      const { logTaskBeforeRun, logTaskInput, logTaskAfterRun, logTaskOutput } = getConfig(config, definition);
      const { id } = definition;
      return logAround<unknown>(
        logger,
        {
          before: (logTaskBeforeRun || logTaskInput) && [
            `Task ${id} is running...`,
            logTaskInput && input ? { data: { input: input as unknown } } : {},
          ],
          after: (ms, result) =>
            (logTaskAfterRun || logTaskOutput) && [
              `Task ${id} completed in ${ms}ms`,
              logTaskOutput && result !== undefined ? { data: { result } } : {},
            ],
          failed: (ms, error) =>
            (logTaskAfterRun || logTaskOutput) && [`Task ${id} failed in ${ms}ms`, logTaskOutput ? { error } : {}],
        },
        () => next(),
      );
    },
  }))();

/**
 * Logs what resources are configured with and what becomes of them. The interceptors are among the dependencies because they
 * have to be there before the first resource that is logged.
 */
export const resourceTracker = /* @__PURE__ */ (() =>
  defineResourceMiddleware({
    id: "globals.debug.middleware.resource.executionTracker",
    tags: [globalTags.system],
    everywhere: (resource) => !isOfFramework(resource),
    dependencies: { config: debugConfig, logger: debugLogger, middlewareInterceptor, hookInterceptor },
    run({ resource: { definition, config: given }, next }, { config, logger }) {
      const flags = getConfig(config, definition);
      const { logResourceBeforeRun, logResourceConfig, logResourceAfterRun, logResourceValue } = flags;
      const { id } = definition;
      return logAround<unknown>(
        logger,
        {
          before: (logResourceBeforeRun || logResourceConfig) && [
            `Resource ${id} is initializing...`,
            logResourceConfig && !isEmpty(given) ? { data: { config: given as unknown } } : {},
          ],
          after: (ms, result) =>
            (logResourceAfterRun || logResourceValue) && [
              `Resource ${id} initialized in ${ms}ms`,
              logResourceValue && result !== undefined ? { data: { result } } : {},
            ],
          failed: (ms, error) =>
            (logResourceAfterRun || logResourceValue) && [
              `Resource ${id} failed in ${ms}ms`,
              logResourceValue ? { error } : {},
            ],
        },
        () => next(),
      );
    },
  }))();

/** A resource without config gets an empty object. */
const isEmpty = (config: unknown): boolean =>
  config === undefined || config === null || (typeof config === "object" && Object.keys(config).length === 0);
