import type { TunnelHearing } from "../../tunnels/routing/tunnelMiddleware";
import { frameworkResource } from "../frameworkResource";
import { alsoBuiltin } from "../lateBuiltins";
import { latePart } from "../lateParts";

/**
 * Brings the events of other processes to the hooks of a run, for client tunnels. Registered in every run; an application that is bundled and does not
 * refer to it leaves it out.
 */
export const tunnelHearing = /* @__PURE__ */ alsoBuiltin(
  /* @__PURE__ */ frameworkResource<TunnelHearing>("globals.resources.tunnelHearing", {
    value: ({ store, eventManager, logger }) => ({
      // Loaded with the first tunnel that subscribes to events.
      async hear(tunnel, ownerId) {
        const { hearEvents } = await latePart("hearing");
        hearEvents(tunnel, ownerId, { store, eventManager, logger });
      },
    }),
  }),
);
