import { onUncaughtError } from "../../platform/processEvents";
import { bootCancelled } from "../link/linkAndInit";
import type { Logger } from "../logger";
import { createBoot } from "./bootRun";
import { createDisposal } from "./disposal";
import { fromRun } from "./fromRun";
import type { ResolvedRunOptions } from "./options";
import { registerForShutdown } from "./shutdown";
import { createShutdownDeadline, settleLog } from "./shutdownDeadline";
import { bindProcessErrorHandler } from "./unhandledErrors";
import type { WiredRun } from "./wireRun";

/** The beginning and the end of a run. */
export interface Lifecycle {
  /** Links, initialises and seals. What fails is rolled back. */
  start(): Promise<void>;
  /** Disposes of what was initialised; once, however often it is called. */
  dispose(): Promise<void>;
}

/** Knows how a run begins and ends; nothing happens yet. */
export function createLifecycle(run: WiredRun<Logger>): Lifecycle {
  const { options, logger, onUnhandledError, presetValues } = run;
  const initialized: string[] = [];
  const bootAborter = new AbortController();
  const { signal } = bootAborter;
  let stopListening: () => void = () => {};
  /** Set once a boot was left behind although something of it had not settled. */
  let abandoned = false;

  const disposal = createDisposal(run, initialized, () => stopListening());
  const boot = createBoot(run, {
    signal,
    onInitialized: (id) => (abandoned ? disposal.disposeLate(id) : void initialized.push(id)),
  });
  const pending = (): string[] => [...boot.pending(), ...disposal.pending()];
  const untilDeadline = createShutdownDeadline(run, pending);

  function abortBoot(reason: unknown): void {
    bootAborter.abort(reason);
    presetValues.beginEnd();
  }

  /** What has begun when the boot is aborted is waited for, but not for ever. @returns what was late, if anything */
  async function bootOrAbort(): Promise<Error | undefined> {
    const booting = boot.start();
    await Promise.race([booting, new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))]);
    const late = await untilDeadline(booting, reasonOf(signal));
    abandoned = late !== undefined;
    return late;
  }

  /** The error that failed the boot wins over whatever disposing throws; logs that waited for `ready` wait no longer. */
  async function rollBack(): Promise<Error | undefined> {
    let late: Error | undefined;
    try {
      late = await untilDeadline(disposal.dispose(), "the boot failed");
    } catch (error) {
      await logger.error("A resource failed to dispose while the boot was rolled back.", { ...fromRun, error });
    }
    await settleLog(logger.lock());
    return late;
  }

  /** @throws {shutdownTimeoutError} something did not settle in time */
  async function shutDown(reason: string): Promise<void> {
    let late: Error | undefined;
    try {
      late = await untilDeadline(disposal.dispose(), reason);
    } catch (error) {
      await settleLog(logger.error("A resource failed to dispose.", { ...fromRun, error }));
    }
    if (late) throw late;
  }

  async function start(): Promise<void> {
    let online = false;
    let settleBoot: (late: Error | undefined) => void = () => {};
    const settled = new Promise<Error | undefined>((resolve) => (settleBoot = resolve));
    stopListening = listenToProcess(options, onUnhandledError, async (reason) => {
      const waitsFor = pending();
      void logger.info(
        `Shutting down on ${reason}.${waitsFor.length > 0 ? ` Waiting for ${waitsFor.join(", ")}.` : ""}`,
        fromRun,
      );
      if (online) return shutDown(reason);
      abortBoot(reason);
      const late = await settled;
      for (let left = reactionsToRejection; left > 0; left -= 1) await Promise.resolve();
      if (late) throw late;
    });
    const onAbort = (): void => abortBoot(options.signal?.reason);
    options.signal?.addEventListener("abort", onAbort, { once: true });
    let late: Error | undefined;
    try {
      late = await bootOrAbort();
      if (late) throw bootCancelled(signal.reason, late);
      online = true;
    } catch (error) {
      late = (await rollBack()) ?? late;
      throw error;
    } finally {
      options.signal?.removeEventListener("abort", onAbort);
      settleBoot(late);
    }
  }

  return { start, dispose: disposal.dispose };
}

/**
 * Microtasks in which the caller of `run` receives its rejection, with some to spare, before the process exits. Not a whole turn of
 * the loop: Node ends with 1 where a module that awaits `run` leaves the rejection to it.
 */
const reactionsToRejection = 16;

const reasonOf = ({ reason }: AbortSignal): string => (typeof reason === "string" ? reason : "the boot was aborted");

/** Safety nets and shutdown signals, installed before the first effect. @returns what removes them */
function listenToProcess(
  options: ResolvedRunOptions,
  onUnhandledError: ResolvedRunOptions["onUnhandledError"] & {},
  onShutdown: (reason: string) => Promise<void>,
): () => void {
  const unhookErrors = options.errorBoundary
    ? onUncaughtError(toVoid(bindProcessErrorHandler(onUnhandledError)))
    : undefined;
  const unregister = options.shutdownHooks ? registerForShutdown(onShutdown) : undefined;
  return () => {
    unhookErrors?.();
    unregister?.();
  };
}

const toVoid =
  <A extends unknown[]>(fn: (...args: A) => unknown) =>
  (...args: A): void =>
    void fn(...args);
