import type { IEvent } from "../../define/event";
import { eventManagerId, readyEventId, storeId, taskRunnerId } from "../../define/reservedIds";
import { onUncaughtError } from "../../platform/processEvents";
import type { CallScope } from "../callScope";
import { HookDependencyState, type Cells, type HookCell } from "../link/cells";
import { findReentrantEvents } from "../plan/checkEmissions";
import { disposeAll } from "./disposeAll";
import type { AttachedHook, EventManager } from "../events/eventManager";
import { bootCancelled, linkAndInit } from "../link/linkAndInit";
import type { ResolvedRunOptions } from "./options";
import type { BootPlan } from "../plan/planBoot";
import type { Logger } from "../logger";
import { registerForShutdown } from "./shutdown";
import { bindProcessErrorHandler } from "./unhandledErrors";
import type { WiredRun } from "./wireRun";

/** The beginning and the end of a run. */
export interface Lifecycle {
  /** Links, initialises and seals. What fails is rolled back. */
  start(): Promise<void>;
  /** Disposes of what was initialised; once, whoever calls. */
  dispose(): Promise<void>;
}

/** What is logged here comes from the run itself. */
export const fromRun = { source: "run" };

/** Knows how a run begins and ends; nothing happens yet. */
export function createLifecycle(run: WiredRun<Logger>): Lifecycle {
  const { plan, options, logger, cells, eventManager, drains, presetValues, onUnhandledError, report } = run;
  const initialized: string[] = [];
  const bootAborter = new AbortController();
  let stopListening: () => void = () => {};

  let disposing: Promise<void> | undefined;
  const dispose = (): Promise<void> =>
    (disposing ??= (async () => {
      // Calls that servers still take find the run as it was.
      await drains.drainAll();
      stopListening();
      try {
        await disposeAll(initialized, cells.resources, (id) => {
          void logger.info(`Waiting for resource "${id}" to be disposed of.`, fromRun);
        });
      } finally {
        eventManager.dispose();
        await presetValues.dispose();
      }
    })());

  async function link(): Promise<void> {
    presetValues.fill(plan);
    await logger.debug("Events stored. Attaching listeners...", fromRun);
    attachHooks(plan, cells, eventManager);
    await logger.debug("Listeners attached. Computing dependencies...", fromRun);
    await linkAndInit(
      {
        plan,
        cells,
        eventManager,
        logger,
        interceptors: run.interceptors,
        onInitialized: (id) => initialized.push(id),
        reportInitFailure: (error, resourceId) => report({ error, kind: "resourceInit", source: resourceId }),
        signal: bootAborter.signal,
      },
      options.initMode,
    );
    if (bootAborter.signal.aborted) throw bootCancelled(bootAborter.signal.reason);
  }

  async function becomeReady(): Promise<void> {
    for (const cell of cells.tasks.values()) cell.seal();
    run.store.lock();
    eventManager.lock();
    run.middlewareManager.lock();
    await logger.lock();
    const ready = cells.events.get(readyEventId)?.event as IEvent<void> | undefined;
    if (ready) await eventManager.emit(ready, undefined, "run");
    if (bootAborter.signal.aborted) throw bootCancelled(bootAborter.signal.reason);
    await logger.info("Runner online. Awaiting tasks and events.", fromRun);
  }

  async function start(): Promise<void> {
    let booting = true;
    let settleBoot: () => void = () => {};
    const settled = new Promise<void>((resolve) => (settleBoot = resolve));
    stopListening = listenToProcess(options, onUnhandledError, async (reason) => {
      void logger.info(`Shutting down on ${reason}.`, fromRun);
      if (!booting) return dispose();
      bootAborter.abort(reason);
      await settled;
    });
    const abortBoot = (): void => bootAborter.abort(options.signal?.reason);
    options.signal?.addEventListener("abort", abortBoot, { once: true });
    try {
      await link();
      await becomeReady();
      booting = false;
    } catch (error) {
      await rollBack(dispose, logger);
      throw error;
    } finally {
      options.signal?.removeEventListener("abort", abortBoot);
      settleBoot();
    }
  }

  return { start, dispose };
}

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

/** The error that failed the boot wins over whatever disposing throws; logs that waited for `ready` wait no longer. */
async function rollBack(dispose: () => Promise<void>, logger: Logger): Promise<void> {
  try {
    await dispose();
  } catch (error) {
    await logger.error("A resource failed to dispose while the boot was rolled back.", { ...fromRun, error });
  }
  await logger.lock();
}

/** Hooks hear nothing until their dependencies are there. */
function attachHooks(plan: BootPlan, cells: Cells, eventManager: EventManager): void {
  const hooks: AttachedHook[] = [];
  for (const [, cell] of cells.hooks) {
    const { on } = cell.hook;
    if (on === undefined) continue;
    hooks.push({
      hook: cell.hook,
      eventIds: on === "*" ? "*" : [on].flat().map(({ id }) => id),
      listen: (hook, emission, scope) =>
        cell.dependencyState === HookDependencyState.Ready
          ? hook.run(emission, dependenciesFor(cell, scope))
          : undefined,
      bake() {
        const { hook, computedDependencies, bindDependencies, dependencyState } = cell;
        if (dependencyState !== HookDependencyState.Ready) return undefined;
        return bindDependencies === undefined
          ? (emission) => hook.run(emission, computedDependencies)
          : (emission, scope) => hook.run(emission, dependenciesFor(cell, scope));
      },
    });
  }
  if (hooks.length > 0) eventManager.attachHooks(hooks, findReentrantEvents(plan, emitsAnything));
}

const dependenciesFor = ({ computedDependencies, bindDependencies }: HookCell, scope: CallScope | undefined): object =>
  scope === undefined || bindDependencies === undefined ? computedDependencies : bindDependencies(scope);

const emitsAnything = (id: string): boolean => id === storeId || id === eventManagerId || id === taskRunnerId;
