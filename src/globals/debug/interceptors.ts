import { defineHook } from "../../define/hook";
import { defineResource } from "../../define/createResource";
import type { DebugConfig } from "../../runtime/run/debugConfig";
import { eventManager, middlewareManager } from "../resources/handles";
import { globalTags } from "../tags";
import { getConfig } from "./debugTag";
import { debugConfig, debugLogger, isOfFramework, logAround, write, type Lines } from "./logAround";

/** Logs emissions, before any other hook receives them. */
export const onAnyEvent = /* @__PURE__ */ (() =>
  defineHook({
    id: "globals.debug.hooks.onAnyEvent",
    tags: [globalTags.system],
    on: "*",
    order: Number.MIN_SAFE_INTEGER,
    dependencies: { config: debugConfig, logger: debugLogger },
    async run(emission, { config, logger }) {
      if (isOfFramework(emission)) return;
      const { logEventEmissionOnRun, logEventEmissionInput } = getConfig(config, emission);
      if (!logEventEmissionOnRun && !logEventEmissionInput) return;
      const { id } = emission;
      const data: unknown = emission.data;
      await write(logger, [
        `Event ${id} emitted`,
        logEventEmissionInput && data !== undefined ? { data: { data } } : {},
      ]);
    },
  }))();

/** Logs when the middleware around a task or a resource begins, and when it has come back. */
export const middlewareInterceptor = /* @__PURE__ */ (() =>
  defineResource({
    id: "globals.debug.resources.middlewareInterceptor",
    tags: [globalTags.system],
    dependencies: { config: debugConfig, logger: debugLogger, middlewareManager },
    async init(_config, { config, logger, middlewareManager: manager }) {
      manager.intercept("task", (next, input) => {
        const { definition } = input.task;
        if (isOfFramework(definition)) return next(input);
        return logAround(logger, middlewareLines(`task ${definition.id}`, getConfig(config, definition)), () =>
          next(input),
        );
      });
      manager.intercept("resource", (next, input) => {
        const { definition } = input.resource;
        if (isOfFramework(definition)) return next(input);
        return logAround(logger, middlewareLines(`resource ${definition.id}`, getConfig(config, definition)), () =>
          next(input),
        );
      });
    },
  }))();

const middlewareLines = (
  subject: string,
  { logMiddlewareBeforeRun, logMiddlewareAfterRun }: DebugConfig,
): Lines<unknown> => ({
  before: logMiddlewareBeforeRun && [`Middleware triggered for ${subject}`],
  after: () => logMiddlewareAfterRun && [`Middleware completed for ${subject}`],
  failed: () => logMiddlewareAfterRun && [`Middleware failed for ${subject}`],
});

/** Logs when a hook begins, and when it is done. */
export const hookInterceptor = /* @__PURE__ */ (() =>
  defineResource({
    id: "globals.debug.resources.hookInterceptor",
    tags: [globalTags.system],
    dependencies: { config: debugConfig, logger: debugLogger, eventManager },
    async init(_config, { config, logger, eventManager: manager }) {
      manager.interceptHook((next, hook, emission) => {
        if (isOfFramework(hook) || isOfFramework(emission)) return next(hook, emission);
        const { logHookTriggered, logHookCompleted } = getConfig(config, hook);
        return logAround(
          logger,
          {
            before: logHookTriggered && [`Hook triggered for ${hook.id}`],
            after: () => logHookCompleted && [`Hook completed for ${hook.id}`],
            failed: () => logHookCompleted && [`Hook failed for ${hook.id}`],
          },
          () => next(hook, emission),
        );
      });
    },
  }))();
