import { r as concepts } from "./define/r";
import { tunnelClientBuilder, tunnelServerBuilder } from "./globals/tunnels/tunnelBuilders";

/** The fluent builders of every concept. */
export const r = /* @__PURE__ */ (() =>
  Object.freeze({
    ...concepts,
    tunnel: Object.freeze({ server: tunnelServerBuilder, client: tunnelClientBuilder }),
  }))();
