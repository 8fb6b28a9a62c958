import type { EventReference, IEventEmission } from "../../define/event";
import type { SubscribeOptions } from "../../define/subscription";
import type { TaskCallOptions } from "../../define/task";
import { runDisposedError } from "../../errors/runErrors";
import { itemStream } from "../../lib/itemStream";
import { idOf } from "./idOf";
import { notFound } from "./notFound";
import type { RunResult, TaskHandle } from "./runResult";
import type { Topology } from "./topology";
import { isOnlyOptions } from "../link/callOptions";
import { createTaskCaller } from "../link/taskCallers";
import type { WiredRun } from "./wireRun";

/** What is not the run's own. */
export interface RunResultParts {
  readonly dispose: () => Promise<void>;
  /** Called when it is looked at first. */
  readonly readTopology: () => Topology;
}

/** What a run shows of itself; its functions are own properties. */
export function createRunResult<L>(run: WiredRun<L>, { dispose, readTopology }: RunResultParts): RunResult<unknown, L> {
  let topology: Topology | undefined;
  const { plan, cells, state, eventManager, drains, presetValues, store, logger } = run;

  // Async functions, so that what they throw becomes a rejection.
  async function refuseTask(task: unknown): Promise<never> {
    const id = idOf(task, "runTask takes a task");
    if (state.phase !== "open") throw runDisposedError.create({ kind: "task", id });
    throw notFound("Task", id, cells.tasks.keys());
  }
  async function refuseEvent(event: unknown): Promise<never> {
    const id = idOf(event, "emitEvent takes an event");
    if (state.phase !== "open") throw runDisposedError.create({ kind: "event", id });
    throw notFound("Event", id, cells.events.keys());
  }

  return {
    get value() {
      return cells.resources.get(plan.root.id)?.value as unknown;
    },
    logger,
    store,
    get topology() {
      return (topology ??= readTopology());
    },
    // Gives `any`: typed by `RunResult`.
    runTask(task: string | TaskHandle, ...args: [input?: unknown, options?: TaskCallOptions]): any {
      const cell = cells.tasks.get(readId(task));
      if (cell === undefined || state.phase !== "open") return refuseTask(task);
      if (cell.task.streams === true) return createTaskCaller(cell)(...args);
      // Read by index: taking the list apart would make it.
      return isOnlyOptions(cell.task, args.length, args[0])
        ? cell.invoke(undefined, args[0])
        : cell.invoke(args[0], args[1]);
    },
    emitEvent(event: string | EventReference, payload?: unknown) {
      const registered = cells.events.get(readId(event))?.event;
      if (registered === undefined || state.phase !== "open") return refuseEvent(event);
      return eventManager.emit(registered, payload, "outside");
    },
    // Gives `any`: typed by `RunResult`.
    subscribe(events: readonly (string | EventReference)[], options: SubscribeOptions = {}): any {
      return itemStream((end) => {
        const ids = [...new Set(events.map(readId))];
        // What is emitted while the rest is loaded is heard as well.
        const early: IEventEmission[] = [];
        const hearing = { ids, early, hear: (emission: IEventEmission) => void early.push(emission) };
        const taps = ids.map((id) => eventManager.tap(id, (emission) => hearing.hear(emission)));
        return import("../events/localSubscription").then(({ subscribeHere }) =>
          subscribeHere({ hearing, taps, cells, state, drains, refuseEvent }, options, end),
        );
      });
    },
    // Both give `any`: typed by `RunResult`.
    getResourceValue(resource: unknown): any {
      const id = idOf(resource, "getResourceValue takes a resource");
      if (state.phase !== "open") throw runDisposedError.create({ kind: "resource", id });
      return presetValues.read(resource);
    },
    // `any` as above.
    getResourceConfig(resource: unknown): any {
      const id = idOf(resource, "getResourceConfig takes a resource");
      const cell = cells.resources.get(id);
      if (cell === undefined) throw notFound("Resource", id, cells.resources.keys());
      return cell.config as unknown;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** The id without a check: what has none is found nowhere, and refused then. */
const readId = (target: unknown): string =>
  typeof target === "string" ? target : ((target as { readonly id: string } | null | undefined)?.id ?? "");
