import { runDisposedError } from "../../errors/runErrors";
import type { ITask, TaskCallOptions, TaskDependencyWithIntercept, TaskLocalInterceptor } from "../../define/task";
import { itemStream } from "../../lib/itemStream";
import type { ItemSource } from "../../lib/itemReader";
import { captureSlots } from "../../platform/contextScope";
import type { CallScope } from "../callScope";
import type { RunState } from "../runState";
import { isOnlyOptions } from "./callOptions";
import type { Invoke } from "./linkTask";
import type { TaskCell } from "./taskCell";

/** What tasks, hooks and middleware receive for a task. */
export type InjectedTask = ((input?: unknown, options?: TaskCallOptions) => Promise<unknown>) & { readonly id: string };

/** A caller of one task, for any number of calls. */
export function createTaskCaller(cell: TaskCell): InjectedTask {
  if (cell.task.streams === true) {
    return withId(
      callerOf(cell, (input, options) => cell.invoke(input, options)),
      cell.task.id,
    );
  }
  // As `callerOf`, without a function in between: most calls of an application are made by these.
  function caller(input?: unknown, options?: TaskCallOptions) {
    return isOnlyOptions(cell.task, arguments.length, input)
      ? cell.invoke(undefined, input)
      : cell.invoke(input, options);
  }
  return withId(caller, cell.task.id);
}

const withId = (caller: Caller, id: string): InjectedTask =>
  Object.defineProperty(caller, "id", { value: id, enumerable: true }) as InjectedTask;

/**
 * As `createTaskCaller`, for one call of another task, hook or middleware, whose scope is passed on.
 *
 * Made per call, so the id is set plainly: defining a property would cost more than all the rest of the call.
 */
export function createBoundCaller(cell: TaskCell, scope: CallScope): InjectedTask {
  const caller = callerOf(
    cell,
    (input, options) =>
      cell.invoke(input, {
        journal: options?.journal,
        signal: options?.signal,
        timeoutMs: options?.timeoutMs,
        idempotencyKey: options?.idempotencyKey,
        items: options?.items,
        scope,
      }),
    scope,
  );
  caller.id = cell.task.id;
  return caller as InjectedTask;
}

type Caller = Invoke & { id?: string };

function callerOf(cell: TaskCell, invoke: Invoke, scope?: CallScope): Caller {
  if (cell.task.streams === true) return streamCallerOf(cell.task, invoke, scope);
  return function caller(input?: unknown, options?: TaskCallOptions) {
    return isOnlyOptions(cell.task, arguments.length, input) ? invoke(undefined, input) : invoke(input, options);
  };
}

/** What is called gives a stream at once; the call is made when its first item is asked for, in the contexts of now. */
function streamCallerOf(task: ITask, invoke: Invoke, scope: CallScope | undefined): Caller {
  // `any`: typed by the definition.
  return function caller(given?: unknown, options?: TaskCallOptions): any {
    const isOptions = isOnlyOptions(task, arguments.length, given);
    const { signal = scope?.signal, ...rest } = (isOptions ? given : options) ?? {};
    const input = isOptions ? undefined : given;
    const enter = captureSlots();
    return itemStream(async (end) => {
      const { ItemReader } = await import("../../lib/itemReader");
      const begin = (own: AbortSignal) => enter(() => invoke(input, { ...rest, signal: own })) as Promise<ItemSource>; // as linked
      return new ItemReader({ begin, signal }, end);
    });
  };
}

/** What resources receive for a task: the caller, able to intercept. It calls until the resource is disposed of. */
export function createInterceptableCaller(
  cell: TaskCell,
  ownerId: string,
  state: RunState,
): TaskDependencyWithIntercept<unknown, Promise<unknown>> {
  const { id } = cell.task;
  const invoke: Invoke = (input, options) =>
    state.phase !== "open" && state.hasEnded(ownerId)
      ? Promise.reject(runDisposedError.create({ kind: "task", id }))
      : cell.invoke(input, options);
  const caller = withId(callerOf(cell, invoke), id) as InjectedTask & { intercept?: unknown };
  caller.intercept = (interceptor: TaskLocalInterceptor<any, any>) => cell.intercept(interceptor);
  return caller as TaskDependencyWithIntercept<unknown, Promise<unknown>>;
}
