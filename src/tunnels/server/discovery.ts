import type { MaybePromise } from "../../lib/typeLevel";
import type { ContractLock } from "../contract/contractLock";
import type { AllowList } from "./allowList";

/** What a server says about itself. */
export interface Discovery {
  readonly allowList: {
    readonly enabled: boolean;
    readonly tasks: readonly string[];
    readonly events: readonly string[];
    /** What may be listened to; absent where nothing may. */
    readonly subscribable?: readonly string[] | undefined;
  };
  /** Where the server is configured to say it. */
  readonly contract?: DiscoveredContract | undefined;
}

/** What may be relied on, by hashes that change with it. */
export interface DiscoveredContract {
  readonly hash: string;
  /** Hash of each task, by id. */
  readonly tasks: Readonly<Record<string, string>>;
  readonly events: Readonly<Record<string, string>>;
  /** The schemas themselves, where the server shows them. */
  readonly lock?: ContractLock | undefined;
}

/** Describes to a caller what it may reach. */
export type Discover = (reachable: AllowList) => MaybePromise<Discovery>;

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
