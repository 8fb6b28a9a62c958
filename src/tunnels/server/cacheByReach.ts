import type { AllowList } from "./allowList";

/**
 * Makes something once for every selection of what can be reached, when it is first asked for. Callers with the same rights
 * share one: their lists are objects of their own, over the same maps.
 */
export function cacheByReach<T extends object>(make: (reachable: AllowList) => T): (reachable: AllowList) => T {
  const made = new WeakMap<AllowList["tasks"], WeakMap<AllowList["events"], T>>();
  return (reachable) => {
    const { tasks, events } = reachable;
    let byEvents = made.get(tasks);
    if (byEvents === undefined) made.set(tasks, (byEvents = new WeakMap()));
    let one = byEvents.get(events);
    if (one === undefined) byEvents.set(events, (one = make(reachable)));
    return one;
  };
}
