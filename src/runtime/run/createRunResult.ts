import type { IEvent } from "../../define/event";
import type { ITask, TaskCallOptions } from "../../define/task";
import { idOf } from "./idOf";
import type { RunResult } from "./runResult";
import { isOnlyOptions } from "../link/taskCell";
import type { WiredRun } from "./wireRun";

/** What a run shows of itself; its functions are own properties. */
export function createRunResult<L>(run: WiredRun<L>, dispose: () => Promise<void>): RunResult<unknown, L> {
  const { plan, cells, eventManager, presetValues, store, logger } = run;
  return {
    get value() {
      return cells.resources.get(plan.root.id)?.value as unknown;
    },
    logger,
    store,
    // Gives `any`: typed by `RunResult`.
    runTask(task: ITask | string, ...args: [input?: unknown, options?: TaskCallOptions]): Promise<any> {
      const id = idOf(task, "runTask takes a task");
      const cell = cells.tasks.get(id);
      if (cell === undefined) throw new Error(`Task "${id}" not found.`);
      const [input, callOptions] = args;
      return isOnlyOptions(cell.task, args.length, input)
        ? cell.invoke(undefined, input)
        : cell.invoke(input, callOptions);
    },
    emitEvent(event: IEvent | string, payload?: unknown) {
      const id = idOf(event, "emitEvent takes an event");
      const registered = cells.events.get(id)?.event;
      if (registered === undefined) throw new Error(`Event "${id}" not found.`);
      return eventManager.emit(registered, payload, "outside");
    },
    getResourceValue: (resource: unknown): any => presetValues.read(resource), // typed by `RunResult`
    getResourceConfig(resource: unknown): any {
      // `any`: typed by `RunResult`
      const id = idOf(resource, "getResourceConfig takes a resource");
      const cell = cells.resources.get(id);
      if (cell === undefined) throw new Error(`Resource "${id}" not found.`);
      return cell.config as unknown;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}
