import { createTrackedScope } from "../../platform/trackedScope";
import { Queue } from "./queue";
import { frameworkService } from "../frameworkResource";
import { alsoBuiltin } from "../lateBuiltins";

/** Named queues: work under one id runs one at a time, in order. */
export interface Queues {
  /** The queues that have work. */
  readonly map: ReadonlyMap<string, Queue>;
  /** @throws {Error} (as a rejection) called from inside a task of the same queue, or after the end of the run */
  run<T>(id: string, task: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Queues made on demand, dropped when they have no more work, and drained when the run is disposed of. */
export const queue = /* @__PURE__ */ alsoBuiltin(
  /* @__PURE__ */ frameworkService<Queues>({
    id: "globals.resources.queue",
    context: (): QueuesState => ({ disposed: false }),
    init: async (_config: void, _dependencies: object, state: QueuesState) => createQueues(state),
    async dispose({ map }: Queues, _config: void, _dependencies: object, state: QueuesState) {
      state.disposed = true;
      await Promise.all([...map.values()].map((each) => each.dispose()));
    },
  }),
);

interface QueuesState {
  disposed: boolean;
}

function createQueues(state: QueuesState): Queues {
  const map = new Map<string, Queue>();
  const pending = new Map<Queue, number>();
  // One scope for all, so that at most one AsyncLocalStorage is enabled.
  const scope = createTrackedScope<Queue>();

  function begin(id: string, known: Queue): void {
    map.set(id, known);
    pending.set(known, (pending.get(known) ?? 0) + 1);
  }

  function end(id: string, known: Queue): void {
    const left = (pending.get(known) ?? 0) - 1;
    if (left > 0) return void pending.set(known, left);
    pending.delete(known);
    if (map.get(id) === known) map.delete(id);
  }

  return {
    map,
    async run(id, task) {
      const known = map.get(id) ?? new Queue(scope);
      // A queue that is disposed of refuses work in its own words.
      if (state.disposed) void known.dispose();
      begin(id, known);
      try {
        return await known.run(task);
      } finally {
        end(id, known);
      }
    },
  };
}
