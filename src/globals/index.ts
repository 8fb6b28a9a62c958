import { requireContext } from "../define/asyncContext";
import { createExposureClient } from "../tunnels/transports/httpClients";
import { globalEvents } from "./events";
import { resourceRetry, taskRetry } from "./middleware/retry";
import { resourceTimeout, taskTimeout } from "./middleware/timeout";
import { eventManager, logger, middlewareManager, store, taskRunner } from "./resources/handles";
import { httpClientFactory } from "./resources/httpClientFactory";
import { queue } from "./resources/queues";
import { serializer } from "./resources/serializer";
import { globalTags } from "./tags";

const middleware = /* @__PURE__ */ (() => ({
  requireContext,
  task: { requireContext, retry: taskRetry, timeout: taskTimeout },
  resource: { retry: resourceRetry, timeout: resourceTimeout },
}))();

/** What the framework provides. Nothing of it needs to be registered. */
export const globals = {
  resources: { store, middlewareManager, eventManager, taskRunner, logger, serializer, queue, httpClientFactory },
  events: globalEvents,
  tags: globalTags,
  middleware,
  /** The name of `middleware` in 5.5. */
  middlewares: middleware,
  tunnels: { http: { createClient: createExposureClient } },
};
