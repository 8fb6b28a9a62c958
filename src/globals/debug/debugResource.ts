import type { RegisterableItems } from "../../define/resource";
import { defineResource } from "../../define/createResource";
import type { DebugFriendlyConfig } from "../../runtime/run/debugConfig";
import { globalTags } from "../tags";
import { checkDebugConfig } from "./checkDebugConfig";
import { hookInterceptor, middlewareInterceptor, onAnyEvent } from "./interceptors";
import { debugConfig } from "./logAround";
import { resourceTracker, taskTracker } from "./trackers";

const debugResource = /* @__PURE__ */ (() =>
  defineResource({
    id: "globals.resources.debug",
    tags: [globalTags.system],
    register: (config: DebugFriendlyConfig) => [
      debugConfig.with(config),
      onAnyEvent,
      middlewareInterceptor,
      hookInterceptor,
      taskTracker,
      resourceTracker,
    ],
  }))();

/**
 * What `run(app, { debug })` registers.
 *
 * @throws {TypeError} there is no such level or flag
 * @see readmes/DEBUG.md
 */
export const debugItem = (given: unknown): RegisterableItems =>
  debugResource.with(checkDebugConfig(given, "run(app, options).debug"));
