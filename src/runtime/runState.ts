import type { ITask } from "../define/task";
import type { CallScope } from "./callScope";

/** A call that was given an idempotency key. */
export interface KeyedCall {
  readonly task: ITask;
  readonly input: unknown;
  readonly idempotencyKey: string;
  readonly scope: CallScope | undefined;
  /** Whether it passes items beside the input. */
  readonly hasItems: boolean;
}

/**
 * Makes a call with a key, unless it was made before: then its outcome is given again.
 *
 * @param start makes it: until the signal aborts, whatever becomes of this caller; without a signal, as any other call
 */
export type RunKeyed = (
  call: KeyedCall,
  start: (signal: AbortSignal | undefined) => Promise<unknown>,
) => Promise<unknown>;

/** Where a run is in its life: `disposing` from the moment when its first resource is disposed of. */
export type RunPhase = "open" | "disposing" | "disposed";

/**
 * Whether a run still takes calls.
 *
 * The run's result takes none once it disposes of resources; a resource may make calls until it is disposed of itself.
 * What is under way may go on: tasks, hooks and middleware may call and emit until everything that is under way has
 * settled.
 */
export class RunState {
  phase: RunPhase = "open";
  /** How many tasks and emissions are under way. */
  underWay = 0;
  /** Bundles may lack what replaces it. */
  runKeyed: RunKeyed = async () => {
    throw new TypeError("options.idempotencyKey of a call needs globals.resources.idempotency in this bundle.");
  };
  readonly #endedResources = new Set<string>();

  /** Whether a resource may make no more calls. */
  hasEnded(resourceId: string): boolean {
    return this.phase === "disposed" || this.#endedResources.has(resourceId);
  }

  endResource(resourceId: string): void {
    this.#endedResources.add(resourceId);
  }

  /** Whether tasks, hooks and middleware may make no more calls either. */
  get isOver(): boolean {
    return this.phase === "disposed" && this.underWay === 0;
  }

  /** For `then`: one of what is under way has settled. */
  readonly leave = <T>(value: T): T => {
    this.underWay -= 1;
    return value;
  };
}
