import { perPlatform, type IPlatformAdapter } from "../../platform/platform";
import { onShutdownSignal } from "../../platform/processEvents";

/** Ends one run; `reason` is the signal that asked for it, such as `"SIGTERM"`. */
export type ShutdownDisposer = (reason: string) => Promise<void>;

/**
 * Disposes of a run when the process is asked to stop.
 *
 * On the first signal all registered disposers run one after the other, then the process exits with 0. A second signal
 * meanwhile exits with 1 at once. Failing disposers do not keep the others from running.
 *
 * @returns a function that unregisters it; call it once the run is disposed of otherwise
 */
export const registerForShutdown = (dispose: ShutdownDisposer): (() => void) => shutdowns().register(dispose);

const shutdowns = /* @__PURE__ */ perPlatform(createShutdown);

function createShutdown(platform: IPlatformAdapter): { register(dispose: ShutdownDisposer): () => void } {
  const registrations = new Set<{ readonly dispose: ShutdownDisposer }>();
  let stopListening: (() => void) | undefined;
  let shuttingDown = false;

  function listen(): void {
    stopListening ??= onShutdownSignal(onSignal);
  }

  /** While shutting down a second signal must still be heard. */
  function stopListeningWhenIdle(): void {
    if (registrations.size > 0 || shuttingDown) return;
    stopListening?.();
    stopListening = undefined;
  }

  async function onSignal(signal: string): Promise<void> {
    if (shuttingDown) return exit(platform, 1);
    shuttingDown = true;
    // Also reaches what registers meanwhile: a Set iterates over elements added on the way.
    for (const registration of registrations) {
      registrations.delete(registration);
      await disposeSafely(registration.dispose, signal);
    }
    exit(platform, 0);
    // Only where there is no process to end.
    shuttingDown = false;
    stopListeningWhenIdle();
  }

  return {
    register(dispose) {
      const registration = { dispose };
      registrations.add(registration);
      listen();
      return () => {
        registrations.delete(registration);
        stopListeningWhenIdle();
      };
    },
  };
}

async function disposeSafely(dispose: ShutdownDisposer, reason: string): Promise<void> {
  try {
    await dispose(reason);
  } catch {
    // The process ends either way; the run itself reports why its disposal failed.
  }
}

/** Browsers and edge runtimes have nothing to exit from. */
function exit(platform: IPlatformAdapter, code: number): void {
  try {
    platform.exit(code);
  } catch {
    // platformUnsupportedFunctionError
  }
}
