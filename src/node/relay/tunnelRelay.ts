import { createResource } from "../../define/createResource";
import type { IResource } from "../../define/resource";
import { eventManager, logger, store } from "../../globals/resources/handles";
import { symbolFramework } from "../../lib/symbols";
import { resolveRelayConfig } from "./config";
import type { RelayDependencies, TunnelRelay } from "./startRelay";
import type { TunnelRelayConfig } from "./tunnelRelayConfig";

/**
 * The public side of reverse tunnels: drivers behind NAT connect to it, and publish their services through it.
 *
 * Who may connect is decided as for an exposure: tokens, validator tasks, or programs of this machine.
 *
 * @see readmes/REVERSE_TUNNELS.md
 */
export const tunnelRelay: IResource<TunnelRelayConfig, Promise<TunnelRelay>> = /* @__PURE__ */ (() =>
  createResource(
    {
      id: "platform.node.resources.tunnelRelay",
      dependencies: { store, eventManager, logger },
      configSchema: { parse: checkConfig },
      // Loaded when one is started: most applications that import the entry run none.
      init: async (config: TunnelRelayConfig | undefined, dependencies: RelayDependencies): Promise<TunnelRelay> => {
        const { startRelay } = await import("./startRelay");
        return startRelay(config, dependencies);
      },
      dispose: async (relay: TunnelRelay) => relay.close(),
      [symbolFramework]: {},
    },
    () => "unknown",
  ))();

function checkConfig(config: TunnelRelayConfig): TunnelRelayConfig {
  resolveRelayConfig(config);
  return config;
}
