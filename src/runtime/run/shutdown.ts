import { perPlatform, type IPlatformAdapter } from "../../platform/platform";
import { onShutdownSignal } from "../../platform/processEvents";
import { shutdownTimeoutError } from "../../errors/runErrors";

/**
 * Ends one run; `reason` is the signal that asked for it, such as `"SIGTERM"`.
 *
 * @throws {shutdownTimeoutError} (as a rejection) it did not end in time
 */
export type ShutdownDisposer = (reason: string) => Promise<void>;

/**
 * Disposes of a run when the process is asked to stop.
 *
 * On the first signal all registered disposers run one after the other, then the process exits: with 0, or with 1 where
 * a run did not end in time. A second signal meanwhile exits with 1 at once. Failing disposers do not keep the others from running.
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

  /** While shutting down a second signal must still arrive. */
  function stopListeningWhenIdle(): void {
    if (registrations.size > 0 || shuttingDown) return;
    stopListening?.();
    stopListening = undefined;
  }

  async function onSignal(signal: string): Promise<void> {
    if (shuttingDown) return exit(platform, 1);
    shuttingDown = true;
    let exitCode = 0;
    // Also reaches what registers meanwhile: a Set iterates over elements added on the way.
    for (const registration of registrations) {
      registrations.delete(registration);
      if (!(await endsInTime(registration.dispose, signal))) exitCode = 1;
    }
    exit(platform, exitCode);
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

/** The process ends either way; the run itself reports why its disposal failed. */
async function endsInTime(dispose: ShutdownDisposer, reason: string): Promise<boolean> {
  try {
    await dispose(reason);
    return true;
  } catch (error) {
    return !shutdownTimeoutError.is(error);
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
