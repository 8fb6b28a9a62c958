import { r, type IEvent } from "../../index";
import { createDeferred } from "./deferred";

export type WaitingTask = ReturnType<typeof waitingTask>;

/** A task that goes on until its signal aborts, and what it saw of its call. */
export function waitingTask(id: string) {
  const started = createDeferred<{ origin: string; remainingMs: number | undefined }>();
  const stopped = createDeferred<unknown>();
  const task = r
    .task(id)
    .run(async (_input: void, _deps, { signal, deadline, origin }) => {
      started.resolve({ origin, remainingMs: deadline?.remainingMs });
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      stopped.resolve(signal.reason);
      throw signal.reason;
    })
    .build();
  return { task, started: started.promise, stopped: stopped.promise };
}

/** A hook that calls a task for each event. */
export const callingHook = (event: IEvent<any>, { task }: WaitingTask) =>
  r
    .hook("hook")
    .on(event)
    .dependencies({ task })
    .run(async (_emission, deps) => deps.task())
    .build();
