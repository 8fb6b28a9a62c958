import { requireContext } from "../define/asyncContext";
import { createExposureClient } from "../tunnels/transports/httpClients";
import { healthCheck } from "../tunnels/routing/tags";
import { debugTag } from "./debug/debugTag";
import { debug } from "./debug/debug";
import { globalEvents } from "./events";
import { idempotency } from "./idempotency/idempotency";
import { runOnceMiddleware } from "./idempotency/runOnceMiddleware";
import { alsoBuiltin } from "./lateBuiltins";
import { cache, cacheFactory, cacheResource } from "./middleware/cache";
import { circuitBreaker, circuitBreakers } from "./middleware/circuitBreaker";
import { concurrency, concurrencyState } from "./middleware/concurrency";
import { fallback } from "./middleware/fallback";
import { rateLimit, rateLimits } from "./middleware/rateLimit";
import { resourceRetry, taskRetry } from "./middleware/retry";
import { debounce, temporalState, throttle } from "./middleware/temporal";
import { resourceTimeout, taskTimeout } from "./middleware/timeout";
import { eventManager, logger, middlewareManager, store, taskRunner } from "./resources/handles";
import { httpClientFactory } from "./resources/httpClientFactory";
import { queue } from "./resources/queues";
import { serializer } from "./resources/serializer";
import { globalTags } from "./tags";
import { memoryServer } from "./tunnels/memoryServer";
import { tunnelClientFactory } from "./tunnels/tunnelClientFactory";
import { tunnelHearing } from "./tunnels/tunnelHearing";
import { tunnelVerifier } from "./tunnels/tunnelVerifier";

const middleware = /* @__PURE__ */ (() => ({
  requireContext,
  task: {
    requireContext,
    cache,
    concurrency,
    debounce,
    throttle,
    fallback,
    rateLimit,
    retry: taskRetry,
    timeout: taskTimeout,
    circuitBreaker,
    runOnce: runOnceMiddleware,
  },
  resource: { retry: resourceRetry, timeout: resourceTimeout },
}))();

// Most applications have no check and tag nothing for debugging, so that not each of them brings these tags along.
const tags = /* @__PURE__ */ (() => ({ ...globalTags, healthCheck: alsoBuiltin(healthCheck), debug: debugTag }))();

/** What the framework provides. Nothing of it needs to be registered. */
export const globals = {
  resources: {
    store,
    middlewareManager,
    eventManager,
    taskRunner,
    logger,
    serializer,
    queue,
    httpClientFactory,
    tunnelClientFactory,
    memoryServer,
    tunnelHearing,
    tunnelVerifier,
    idempotency,
    cache: cacheResource,
    rateLimit: rateLimits,
    circuitBreaker: circuitBreakers,
    temporal: temporalState,
    concurrency: concurrencyState,
  },
  tasks: { cacheFactory },
  events: globalEvents,
  tags,
  middleware,
  /** The name of `middleware` in 5.5. */
  middlewares: middleware,
  tunnels: { http: { createClient: createExposureClient } },
  debug,
};
