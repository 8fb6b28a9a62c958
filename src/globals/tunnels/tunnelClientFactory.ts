import { createHttpClient, type HttpClient, type HttpClientConfig } from "../../tunnels/transports/httpClients";
import { frameworkResource } from "../frameworkResource";
import { alsoBuiltin } from "../lateBuiltins";
import { createClientFactory } from "../resources/httpClientFactory";
import { tunnelClientFactoryId, type TunnelClientFactory } from "./tunnelParts";

/**
 * Makes the clients of tunnels: by fetch, unless the entry that runs the application has something better.
 *
 * Registered in every run; an application that is bundled and does not refer to it leaves it out, and clients with it.
 */
export const tunnelClientFactory = /* @__PURE__ */ alsoBuiltin(
  /* @__PURE__ */ frameworkResource<TunnelClientFactory>(tunnelClientFactoryId, {
    value(scope) {
      const make = createClientFactory<HttpClientConfig, HttpClient>(scope, createHttpClient);
      return (config) => {
        if (config.baseUrl !== undefined) return make(config);
        throw new Error(
          "This tunnel has no baseUrl, and several endpoints need the run of @bluelibs/runner/node.\n" +
            '  fix: import { run } from "@bluelibs/runner/node", or say where the exposure is mounted by baseUrl',
        );
      };
    },
  }),
);
