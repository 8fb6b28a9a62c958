import { requireContext } from "../define/asyncContext";
import type { RegisterableItems } from "../define/resource";
import { createTunnelMiddleware } from "../tunnels/routing/tunnelMiddleware";
import { globalEvents } from "./events";
import { lateBuiltins } from "./lateBuiltins";
import { eventManager, logger, middlewareManager, store, taskRunner } from "./resources/handles";
import { globalTags } from "./tags";

/**
 * Registered in every run, before anything of the application. What brings much code along is not: it comes with what
 * refers to it, as the client factory and most middleware do.
 */
export const builtins = (): readonly RegisterableItems[] => [
  store,
  eventManager,
  logger,
  taskRunner,
  ...lateBuiltins(),
  middlewareManager,
  ...new Set(Object.values(globalTags)),
  globalEvents.ready,
  requireContext,
  createTunnelMiddleware({ store, eventManager, logger }),
];
