import { createResource } from "../../define/createResource";
import type { IResource } from "../../define/resource";
import { symbolFramework } from "../../lib/symbols";
import { resolveFetchConfig, type FetchExposureConfig } from "../../tunnels/fetch/fetchConfig";
import { latePart } from "../lateParts";
import { metrics } from "../metrics/metrics";
import { eventManager, logger, store } from "../resources/handles";
import { serializer } from "../resources/serializer";
import type { FetchExposureDeps, FetchExposureHandlers } from "./startFetchExposure";

/**
 * Serves tasks and events of a run by `fetch(request)`: on Bun, Deno, Workers, in routes of Next and other frameworks. Like
 * `nodeExposure`, those that a server-mode tunnel names, to callers that authenticate.
 *
 * Rejects the boot in the edge runtime of Next, which is not supported.
 *
 * @see readmes/FETCH_EDGE.md
 */
export const fetchExposure: IResource<FetchExposureConfig, Promise<FetchExposureHandlers>> = /* @__PURE__ */ (() =>
  createResource(
    {
      id: "globals.resources.fetchExposure",
      // What counts requests costs something for each, so that it comes with the path alone.
      dependencies: ({ http }: FetchExposureConfig) => ({
        ...{ store, eventManager, logger, serializer },
        ...(http?.metrics !== undefined && { metrics }),
      }),
      configSchema: { parse: checkConfig },
      init: async (
        config: FetchExposureConfig | undefined,
        dependencies: FetchExposureDeps,
      ): Promise<FetchExposureHandlers> => {
        const { startFetchExposure } = await latePart("fetchEdge");
        return startFetchExposure(config, dependencies);
      },
      dispose: async (handlers: FetchExposureHandlers) => handlers.close(),
      [symbolFramework]: {},
    },
    () => "unknown",
  ))();

/** Checks at `.with(...)`, so that a mistake shows where it was made. */
function checkConfig(config: FetchExposureConfig): FetchExposureConfig {
  resolveFetchConfig(config);
  return config;
}
