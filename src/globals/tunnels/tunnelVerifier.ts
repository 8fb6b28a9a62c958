import type { TunnelVerifier } from "../../tunnels/routing/tunnelMiddleware";
import { verifyContract } from "../../tunnels/routing/verifyContract";
import { frameworkResource } from "../frameworkResource";
import { alsoBuiltin } from "../lateBuiltins";

/**
 * Compares client tunnels with their servers, where they say so. Registered in every run; an application that is bundled and does
 * not refer to it leaves it out.
 */
export const tunnelVerifier = /* @__PURE__ */ alsoBuiltin(
  /* @__PURE__ */ frameworkResource<TunnelVerifier>("globals.resources.tunnelVerifier", {
    value: ({ store, logger }) => ({
      verify: (tunnel, ownerId) => verifyContract(tunnel, ownerId, { store, logger }),
    }),
  }),
);
