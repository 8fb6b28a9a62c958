import { createResource } from "../../define/createResource";
import type { IResource } from "../../define/resource";
import { metrics } from "../../globals/metrics/metrics";
import { eventManager, logger, store } from "../../globals/resources/handles";
import { serializer } from "../../globals/resources/serializer";
import { symbolFramework } from "../../lib/symbols";
import { resolveExposureConfig, type NodeExposureConfig } from "./config/config";
import type { NodeExposureDeps, NodeExposureHandlers } from "./startExposure";

/** What an exposure depends on, as definitions. */
export interface NodeExposureDependencyMap {
  readonly store: typeof store;
  readonly eventManager: typeof eventManager;
  readonly logger: typeof logger;
  readonly serializer: typeof serializer;
}

/**
 * Serves tasks and events of a run over HTTP: those that a server-mode tunnel names, to callers that authenticate.
 *
 * Rejects the boot when it cannot listen.
 *
 * @see readmes/tunnels/serve.md
 */
export const nodeExposure: IResource<NodeExposureConfig, Promise<NodeExposureHandlers>> = /* @__PURE__ */ (() =>
  createResource(
    {
      id: "platform.node.resources.exposure",
      // What counts requests costs something for each, so that it comes with the path alone.
      dependencies: ({ http }: NodeExposureConfig) => ({
        ...{ store, eventManager, logger, serializer },
        ...(http?.metrics !== undefined && { metrics }),
      }),
      configSchema: { parse: checkConfig },
      // Loaded with the first exposure that starts: most of what imports the entry is a client.
      init: async (
        config: NodeExposureConfig | undefined,
        dependencies: NodeExposureDeps,
      ): Promise<NodeExposureHandlers> => {
        const { startExposure } = await import("./startExposure");
        return startExposure(config, dependencies);
      },
      dispose: async (handlers: NodeExposureHandlers) => handlers.close(),
      [symbolFramework]: {},
    },
    () => "unknown",
  ))();

/** Checks at `.with(...)`, so that a mistake shows where it was made. */
function checkConfig(config: NodeExposureConfig): NodeExposureConfig {
  resolveExposureConfig(config);
  return config;
}
