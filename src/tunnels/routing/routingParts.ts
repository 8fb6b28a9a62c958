import type { invalidTunnelError } from "../../errors/bootErrors";
import type { isPlainObject } from "../../lib/guards";
import type { nameTunnel } from "../protocol/callFailure";
import type { runIdOf } from "../protocol/emissionPath";
import type { leavingEmissions } from "../protocol/leavingEmissions";
import type { withRepeats } from "./idempotency";
import type { remoteOptionsOf } from "./remoteOptions";
import type { resolveSelector } from "./selectors";
import type { tunnelPolicy } from "./tags";
import type { isClientTunnel } from "./tunnelResource";

/** What the part that routes calls is given when it is loaded, so that it brings nothing that a page has already. */
export interface RoutingParts {
  readonly invalidTunnelError: typeof invalidTunnelError;
  readonly isClientTunnel: typeof isClientTunnel;
  readonly isPlainObject: typeof isPlainObject;
  readonly leavingEmissions: typeof leavingEmissions;
  readonly nameTunnel: typeof nameTunnel;
  readonly remoteOptionsOf: typeof remoteOptionsOf;
  readonly resolveSelector: typeof resolveSelector;
  readonly runIdOf: typeof runIdOf;
  readonly tunnelPolicy: typeof tunnelPolicy;
  readonly withRepeats: typeof withRepeats;
}
