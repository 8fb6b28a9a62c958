import type { AllowList } from "./allowList";

/** What a server says about itself. */
export interface Discovery {
  readonly allowList: {
    readonly enabled: boolean;
    readonly tasks: readonly string[];
    readonly events: readonly string[];
  };
}

/** Without a server tunnel nothing is listed, also where everything is open. */
export function discover({ enabled, tasks, events }: AllowList): Discovery {
  return {
    allowList: enabled
      ? { enabled, tasks: [...tasks.keys()], events: [...events.keys()] }
      : { enabled, tasks: [], events: [] },
  };
}
