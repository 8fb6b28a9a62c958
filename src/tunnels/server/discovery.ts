import type { MaybePromise } from "../../lib/typeLevel";
import type { DescribedErrors } from "../contract/contractLock";
import type { Discovery } from "../contract/readDiscovery";
import type { AllowList } from "./allowList";

/** Describes to a caller what it may reach. */
export type Discover = (reachable: AllowList, errors: DescribedErrors) => MaybePromise<Discovery>;

/** Without a server tunnel nothing is listed, also where everything is open. */
export function discover({ enabled, tasks, events, subscribable }: AllowList): Discovery {
  return {
    allowList: enabled
      ? {
          enabled,
          tasks: [...tasks.keys()],
          events: [...events.keys()],
          ...(subscribable.size > 0 && { subscribable: [...subscribable.keys()] }),
        }
      : { enabled, tasks: [], events: [] },
  };
}
