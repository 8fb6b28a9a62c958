import { normalizeError } from "../../errors/normaliseThrown";
import { isThenable } from "../../lib/guards";
import { tellIfSlow } from "../../lib/tellIfSlow";
import { settlesWithin } from "../../lib/timers";
import { WaitWatch } from "../../lib/waitWatch";
import type { ResourceCell } from "../link/cells";
import type { Logger } from "../logger";
import type { ResourceRegistration } from "../plan/registration";
import { fromRun } from "./fromRun";
import type { WiredRun } from "./wireRun";

/** The end of a run. */
export interface Disposal {
  /** Once, however often it is called: all callers get one promise, from the first moment. */
  dispose(): Promise<void>;
  /** Disposes of a resource that initialised after the run had ended. */
  disposeLate(id: string): void;
  /** What has not settled yet, in words. */
  pending(): string[];
}

/**
 * Ends a run in three steps: what serves it drains, resources are disposed of, last initialised first, then what the
 * framework holds for the run is.
 *
 * @param initialized ids of resources, in the order in which they initialised
 * @param onEnd called when everything has settled
 */
export function createDisposal(
  { plan, logger, cells, drains, state, eventManager, presetValues }: WiredRun<Logger>,
  initialized: readonly string[],
  onEnd: () => void,
): Disposal {
  const disposing = new WaitWatch(momentMs, (id) => {
    void logger.info(`Waiting for resource "${id}" to be disposed of.`, fromRun);
  });
  let draining = false;
  let ended: Promise<void> | undefined;
  // The resource whose `dispose` function runs at this moment, and those that asked for the end of the run meanwhile.
  let running: string | undefined;
  const askedForEnd = new Set<string>();

  async function disposeOf(id: string, cell: ResourceCell): Promise<void> {
    running = id;
    const { definition } = plan.registrations.get(id) as ResourceRegistration;
    const disposed: unknown = definition.dispose?.(cell.value, cell.config, cell.computedDependencies, cell.context);
    running = undefined;
    if (!isThenable(disposed)) return;
    disposing.begin(id);
    try {
      if (!askedForEnd.has(id)) return void (await disposed);
      // It may await the end of the run, which would then wait for itself.
      if (await settlesWithin(Promise.resolve(disposed), momentMs)) return;
      void logger.warn(
        `Resource "${id}" calls dispose() of its own run while it is disposed of, and may wait for it: it is not waited for.`,
        fromRun,
      );
    } finally {
      disposing.end(id);
    }
  }

  /** All are attempted. @returns what they failed with */
  async function disposeOfAll(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const id of initialized.toReversed()) {
      const cell = cells.resources.get(id);
      try {
        if (cell?.resource.dispose !== undefined) await disposeOf(id, cell);
      } catch (error) {
        failures.push(error);
      }
      running = undefined;
      state.endResource(id);
    }
    return failures;
  }

  /** Calls that servers still take find the run as it was. */
  async function drain(): Promise<void> {
    draining = true;
    await tellIfSlow(drains.drainAll(), () => {
      void logger.info("Waiting for servers to finish the calls that they have taken.", fromRun);
    });
    draining = false;
  }

  async function end(): Promise<void> {
    try {
      if (!drains.isEmpty) await drain();
      presetValues.beginEnd();
      state.phase = "disposing";
      throwAll(await disposeOfAll());
    } finally {
      state.phase = "disposed";
      for (const cell of cells.tasks.values()) cell.close();
      eventManager.close();
      await presetValues.dispose();
      disposing.stop();
      onEnd();
    }
  }

  return {
    dispose() {
      if (running !== undefined) askedForEnd.add(running);
      if (ended === undefined) {
        let settle: (outcome: Promise<void>) => void = () => {};
        // There before anything is disposed of: a `dispose` may call this function.
        ended = new Promise((resolve) => (settle = resolve));
        settle(end());
      }
      return ended;
    },
    disposeLate(id) {
      const cell = cells.resources.get(id);
      if (cell !== undefined) void disposeOf(id, cell).catch(() => {});
    },
    pending: () => [
      ...(draining ? ["the drain of the servers"] : []),
      ...disposing.names.map((id) => `the dispose of "${id}"`),
    ],
  };
}

const momentMs = 1_000;

/** @throws the only failure as it is, or an `AggregateError` of several whose message starts with the first one's */
function throwAll(failures: readonly unknown[]): void {
  if (failures.length === 0) return;
  if (failures.length === 1) throw failures[0];
  const { message } = normalizeError(failures[0]);
  throw new AggregateError(failures, `${message} (and ${failures.length - 1} more resources failed to dispose)`);
}
