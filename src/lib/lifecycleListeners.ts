import { isThenable } from "./guards";

/** Handlers of one kind of event, called in the order they were added. */
export interface ListenerSet<Event> {
  readonly size: number;
  /** @returns a function that removes this handler and nothing else, however often it is called */
  add(handler: (event: Event) => unknown): () => void;
  /** Calls every handler at once, waiting for none; what they throw or reject with is swallowed. */
  emit(event: Event): void;
}

export function createListenerSet<Event>(): ListenerSet<Event> {
  // Each registration is an object of its own, so that adding one function twice is two registrations.
  const registrations = new Set<{ readonly handler: (event: Event) => unknown }>();
  return {
    get size() {
      return registrations.size;
    },
    add(handler) {
      const registration = { handler };
      registrations.add(registration);
      return () => void registrations.delete(registration);
    },
    emit(event) {
      // A copy, so that a handler added meanwhile waits for the next event; one removed meanwhile is not called.
      for (const registration of [...registrations]) {
        if (registrations.has(registration)) callSafely(registration.handler, event);
      }
    },
  };
}

/** The `on` / `once` of objects with a life to follow, such as `Semaphore` and `Queue`. */
export interface LifecycleListeners<Event extends { readonly type: string }> {
  /** @returns a function that stops delivery */
  on(type: Event["type"], handler: (event: Event) => unknown): () => void;
  /** As `on`, for the next event only. */
  once(type: Event["type"], handler: (event: Event) => unknown): () => void;
  /** @param describe makes the event; not called without listeners */
  emit<T extends Event["type"]>(type: T, describe: (type: T) => Event): void;
}

export function createLifecycleListeners<Event extends { readonly type: string }>(): LifecycleListeners<Event> {
  const listeners = new Map<string, ListenerSet<Event>>();

  function on(type: Event["type"], handler: (event: Event) => unknown): () => void {
    let set = listeners.get(type);
    if (!set) listeners.set(type, (set = createListenerSet()));
    return set.add(handler);
  }

  return {
    on,
    once(type, handler) {
      const stop = on(type, (event) => {
        stop();
        return handler(event);
      });
      return stop;
    },
    emit(type, describe) {
      const set = listeners.get(type);
      if (set && set.size > 0) set.emit(describe(type));
    },
  };
}

function callSafely<Event>(handler: (event: Event) => unknown, event: Event): void {
  try {
    const outcome = handler(event);
    if (isThenable(outcome)) void outcome.then(undefined, () => {});
  } catch {
    // Listeners observe; they cannot fail what they observe.
  }
}
