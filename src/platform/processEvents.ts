import { createListenerSet } from "../lib/lifecycleListeners";
import { perPlatform } from "./platform";

export type UncaughtErrorSource = "uncaughtException" | "unhandledRejection";

/**
 * Listens to every uncaught exception and unhandled rejection of the process.
 *
 * The process carries one listener of each kind however many handlers there are, and none once the last has left.
 * Handlers are called in the order they came; what one throws or rejects with is swallowed.
 *
 * @returns a function that removes the handler
 */
export const onUncaughtError = (handler: (error: unknown, source: UncaughtErrorSource) => unknown): (() => void) =>
  uncaughtErrors()(({ error, source }) => handler(error, source));

/**
 * Listens to the signals that ask the process to stop: `"SIGINT"` and `"SIGTERM"` on Node, unload events in browsers.
 * One process listener per signal serves all handlers, as above.
 *
 * @returns a function that removes the handler; after the last one the runtime's default applies again
 */
export const onShutdownSignal = (handler: (signal: string) => unknown): (() => void) => shutdownSignals()(handler);

const uncaughtErrors = /* @__PURE__ */ perPlatform((platform) =>
  shareListener<{ error: unknown; source: UncaughtErrorSource }>((deliver) => {
    const removers = [
      platform.onUncaughtException((error) => deliver({ error, source: "uncaughtException" })),
      platform.onUnhandledRejection((error) => deliver({ error, source: "unhandledRejection" })),
    ];
    return () => removers.forEach((remove) => remove());
  }),
);

const shutdownSignals = /* @__PURE__ */ perPlatform((platform) =>
  shareListener<string>((deliver) => platform.onShutdownSignal((signal) => deliver(signal ?? "shutdown"))),
);

/** Lets many handlers share what `install` sets up for the first of them and its result takes down after the last. */
function shareListener<Event>(
  install: (deliver: (event: Event) => void) => () => void,
): (handler: (event: Event) => unknown) => () => void {
  const handlers = createListenerSet<Event>();
  let uninstall: (() => void) | undefined;
  return (handler) => {
    const remove = handlers.add(handler);
    uninstall ??= install((event) => handlers.emit(event));
    return () => {
      remove();
      if (handlers.size > 0) return;
      uninstall?.();
      uninstall = undefined;
    };
  };
}
