import { requireContext } from "../define/asyncContext";
import { createExposureClient } from "../tunnels/transports/httpClients";
import { globalEvents } from "./events";
import { eventManager, logger, middlewareManager, serializer, store, taskRunner } from "./resources/handles";
import { httpClientFactory } from "./resources/httpClientFactory";
import { queue } from "./resources/queues";
import { globalTags } from "./tags";

/** What the framework provides. Nothing of it needs to be registered. */
export const globals = {
  resources: { store, middlewareManager, eventManager, taskRunner, logger, serializer, queue, httpClientFactory },
  events: globalEvents,
  tags: globalTags,
  middleware: { requireContext, task: { requireContext } },
  tunnels: { http: { createClient: createExposureClient } },
};
