import { r as concepts } from "./define/r";
import { tunnelClientBuilder } from "./globals/tunnels/startTunnelClient";
import { tunnelServerBuilder } from "./globals/tunnels/tunnelServerBuilder";

/** The fluent builders of every concept. */
export const r = /* @__PURE__ */ (() =>
  Object.freeze({
    ...concepts,
    tunnel: Object.freeze({ server: tunnelServerBuilder, client: tunnelClientBuilder }),
  }))();
