import type { EventManager } from "../../runtime/events/eventManager";
import type { MiddlewareManager } from "../../runtime/link/middlewareManager";
import type { TaskRunner } from "../../runtime/run/presets";
import type { Store } from "../../runtime/run/store";
import { frameworkResource } from "../frameworkResource";
import type { Logger } from "./logger";

/** What the run consists of, for introspection. */
export const store = /* @__PURE__ */ frameworkResource<Store>("globals.resources.store", {
  value: (scope) => scope.store,
});

/** Adds interceptors until the run is ready. */
export const middlewareManager = /* @__PURE__ */ frameworkResource<MiddlewareManager>(
  "globals.resources.middlewareManager",
  { value: (scope) => scope.middlewareManager },
);

/** Emits events and adds listeners. */
export const eventManager = /* @__PURE__ */ frameworkResource<EventManager>("globals.resources.eventManager", {
  value: (scope) => scope.eventManager,
});

/** Runs tasks by definition. */
export const taskRunner = /* @__PURE__ */ frameworkResource<TaskRunner>("globals.resources.taskRunner", {
  value: (scope) => scope.taskRunner,
});

/** The run's logger; each dependant gets one with its own id as source. */
export const logger = /* @__PURE__ */ frameworkResource<Logger>("globals.resources.logger", {
  value: (scope) => scope.logger as Logger,
  injectFor: (value, source) => value.with({ source }),
});
