import type { EmissionOrigin } from "../../lib/emissionPath";
import { createTrackedScope } from "../../platform/trackedScope";

/**
 * Emissions that a tunnel is sending. A scope and no option of the call, so that it reaches the client through an `emit` that
 * is written by hand, and clients of other makes see the call as it always was.
 */
export const leavingEmissions = /* @__PURE__ */ createTrackedScope<EmissionOrigin>();
