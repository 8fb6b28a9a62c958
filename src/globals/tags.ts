import { defineTag, type ITag } from "../define/tag";
import { excludeFromGlobalHooksId } from "../define/reservedIds";
import { idempotent } from "../tunnels/routing/idempotency";
import { authValidator, tunnel, tunnelPolicy } from "../tunnels/routing/tags";

/** What `globals.tags.system` and `globals.tags.excludeFromGlobalHooks` may be given. */
export interface SystemTagConfig {
  /** What tools make of it. */
  metadata?: Record<string, any> | undefined; // free-form
}

/** Marks what belongs to the framework. */
export const system: ITag<SystemTagConfig> = /* @__PURE__ */ defineTag({ id: "globals.tags.system" });

/** Marks events that `"*"` hooks do not receive. */
const excludeFromGlobalHooks: ITag<SystemTagConfig> = /* @__PURE__ */ defineTag({ id: excludeFromGlobalHooksId });

export const globalTags = {
  system,
  excludeFromGlobalHooks,
  tunnel,
  tunnelPolicy,
  /** The name of `tunnelPolicy` in 5.5. */
  tunnelTaskPolicy: tunnelPolicy,
  authValidator,
  idempotent,
};
