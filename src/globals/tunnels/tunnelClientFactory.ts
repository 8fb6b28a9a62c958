import type { RemoteClient } from "../../tunnels/client/createTunnelClient";
import { frameworkResource } from "../frameworkResource";
import type { HttpClientFactory, HttpClientFactoryConfig } from "../resources/httpClientFactory";

/** Where a client tunnel calls, and how. */
export interface HttpTunnelConfig extends HttpClientFactoryConfig {
  /** Node alone: most connections; further calls wait for one. Default 128. */
  readonly maxConnections?: number | undefined;
}

/** Makes the clients of tunnels. Under Node's `run` they keep a pool of connections, and send files and streams. */
export type TunnelClientFactory = (config: HttpTunnelConfig) => Promise<RemoteClient>;

/** Clients weigh several times what a tunnel does, and are loaded when the first one is made. */
export const tunnelClientFactory = /* @__PURE__ */ frameworkResource<TunnelClientFactory>(
  "globals.resources.tunnelClientFactory",
  {
    value: (scope) => {
      let loading: Promise<HttpClientFactory> | undefined;
      return async (config) => {
        loading ??= import("./webClients").then(({ createWebClientFactory }) => createWebClientFactory(scope));
        return (await loading)(config);
      };
    },
  },
);
