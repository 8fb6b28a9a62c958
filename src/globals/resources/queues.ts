import { createTrackedScope } from "../../platform/trackedScope";
import { Queue } from "../../runtime/queue";
import { frameworkService } from "../frameworkResource";

/** Named queues: work under one id runs one at a time, in order. */
export interface Queues {
  readonly map: ReadonlyMap<string, Queue>;
  /** @throws {Error} (as a rejection) called from inside a task of the same queue */
  run<T>(id: string, task: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Queues made on demand and drained when the run is disposed of. */
export const queue = /* @__PURE__ */ frameworkService<Queues>({
  id: "globals.resources.queue",
  async init(): Promise<Queues> {
    const map = new Map<string, Queue>();
    // One scope for all, so that at most one AsyncLocalStorage is enabled.
    const scope = createTrackedScope<Queue>();
    return {
      map,
      run(id, task) {
        const known = map.get(id) ?? new Queue(scope);
        map.set(id, known);
        return known.run(task);
      },
    };
  },
  async dispose(queues: Queues) {
    await Promise.all([...queues.map.values()].map((each) => each.dispose()));
  },
});
