import type { AllowList } from "./allowList";

/**
 * Makes something once for every selection of what can be reached, when it is first asked for. Callers with the same rights
 * share one: their lists are objects of their own, over the same maps.
 *
 * @param make may take more, which is the same each time
 */
export function cacheByReach<T extends object, A extends unknown[]>(
  make: (reachable: AllowList, ...others: A) => T,
): (reachable: AllowList, ...others: A) => T {
  const made = new WeakMap<object, WeakMap<object, WeakMap<object, T>>>();
  return (reachable, ...others) => {
    const { tasks, events, subscribable } = reachable;
    const bySubscribable = nestedIn(nestedIn(made, tasks), events);
    let one = bySubscribable.get(subscribable);
    if (one === undefined) bySubscribable.set(subscribable, (one = make(reachable, ...others)));
    return one;
  };
}

function nestedIn<T extends object>(maps: WeakMap<object, WeakMap<object, T>>, key: object): WeakMap<object, T> {
  let inner = maps.get(key);
  if (inner === undefined) maps.set(key, (inner = new WeakMap()));
  return inner;
}
