import type { TunnelVerifier } from "../../tunnels/routing/tunnelMiddleware";
import { frameworkResource } from "../frameworkResource";
import { alsoBuiltin } from "../lateBuiltins";
import { latePart } from "../lateParts";

/**
 * Compares client tunnels with their servers, where they say so. Registered in every run; an application that is bundled and does
 * not refer to it leaves it out.
 */
export const tunnelVerifier = /* @__PURE__ */ alsoBuiltin(
  /* @__PURE__ */ frameworkResource<TunnelVerifier>("globals.resources.tunnelVerifier", {
    value: ({ store, logger }) => ({
      // Loaded with the first tunnel that says so, since most do not.
      async verify(tunnel, ownerId) {
        const { verifyContract } = await latePart("verifying");
        await verifyContract(tunnel, ownerId, { store, logger });
      },
    }),
  }),
);
