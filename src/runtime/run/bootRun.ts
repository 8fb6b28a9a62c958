import type { IEvent } from "../../define/event";
import { readyEventId } from "../../define/reservedIds";
import { WaitWatch } from "../../lib/waitWatch";
import { bootCancelled, linkAndInit } from "../link/linkAndInit";
import type { Logger } from "../logger";
import { attachHooks } from "./attachHooks";
import { fromRun } from "./fromRun";
import { warnOfUnroutedPhantoms } from "./unroutedPhantoms";
import type { WiredRun } from "./wireRun";

/** The beginning of a run, as far as it has effects. */
export interface Boot {
  /** Links, initialises, seals and announces. @throws {cancellationError} (as a rejection) it was aborted */
  start(): Promise<void>;
  /** What has not settled yet, in words. */
  pending(): string[];
}

/** What a boot is given by the life of its run. */
export interface BootHost {
  /** Aborts the boot between two steps. */
  readonly signal: AbortSignal;
  /** Called once per resource that initialised, in that order. */
  readonly onInitialized: (id: string) => void;
}

/** Knows how a run begins; nothing happens yet. */
export function createBoot(run: WiredRun<Logger>, { signal, onInitialized }: BootHost): Boot {
  const { plan, options, logger, cells, eventManager } = run;
  const initialising = new WaitWatch(slowMs, (id) => {
    void logger.warn(`Waiting for resource "${id}" to initialise.`, fromRun);
  });
  const becomingReady = new WaitWatch(slowMs, (id) => {
    void logger.warn(`Waiting for hook "${id}" on "${readyEventId}".`, fromRun);
  });

  const assertNotAborted = (): void => {
    if (signal.aborted) throw bootCancelled(signal.reason);
  };

  async function link(): Promise<void> {
    run.presetValues.fill(plan);
    await logger.debug("Events stored. Attaching listeners...", fromRun);
    attachHooks(plan, cells, eventManager, becomingReady);
    await logger.debug("Listeners attached. Computing dependencies...", fromRun);
    await linkAndInit(
      {
        plan,
        cells,
        eventManager,
        logger,
        interceptors: run.interceptors,
        state: run.state,
        waits: initialising,
        onInitialized,
        reportInitFailure: (error, resourceId) => run.report({ error, kind: "resourceInit", source: resourceId }),
        signal,
      },
      options.initMode,
    );
    assertNotAborted();
  }

  async function becomeReady(): Promise<void> {
    run.store.lock();
    eventManager.lock();
    run.middlewareManager.lock();
    await logger.lock();
    warnOfUnroutedPhantoms(plan, cells, logger);
    const ready = cells.events.get(readyEventId)?.event as IEvent<void> | undefined;
    if (ready) await eventManager.emit(ready, undefined, "run");
    assertNotAborted();
    await logger.info("Runner online. Awaiting tasks and events.", fromRun);
  }

  return {
    async start() {
      try {
        await link();
        await becomeReady();
      } finally {
        initialising.stop();
        becomingReady.stop();
      }
    },
    pending: () => [
      ...initialising.names.map((id) => `the init of "${id}"`),
      ...becomingReady.names.map((id) => `hook "${id}" on "${readyEventId}"`),
    ],
  };
}

/** A resource that connects to something may take a second. */
const slowMs = 2_000;
