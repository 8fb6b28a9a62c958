import { requireContext } from "../define/asyncContext";
import type { RegisterableItems } from "../define/resource";
import { createTunnelMiddleware } from "../tunnels/routing/tunnelMiddleware";
import { globalEvents } from "./events";
import { eventManager, logger, middlewareManager, serializer, store, taskRunner } from "./resources/handles";
import { httpClientFactory } from "./resources/httpClientFactory";
import { queue } from "./resources/queues";
import { globalTags } from "./tags";

/** Registered in every run, before anything of the application. */
export const builtins = (): readonly RegisterableItems[] => [
  queue,
  httpClientFactory,
  store,
  eventManager,
  logger,
  taskRunner,
  serializer,
  middlewareManager,
  ...new Set(Object.values(globalTags)),
  globalEvents.ready,
  requireContext,
  createTunnelMiddleware({ store, eventManager, logger }),
];
