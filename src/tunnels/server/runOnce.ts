import { idempotencyUnavailableError, idempotencyUnsupportedError } from "../../errors/idempotencyErrors";
import type { TaskCell } from "../../runtime/link/taskCell";
import type { Store } from "../../runtime/run/store";
import { idempotencyKeyHeader } from "../protocol/headers";
import type { WireRequest } from "../protocol/wire";
import { idempotent } from "../routing/idempotency";

/** Id of the resource that keeps calls from running twice; serving brings it along only where the application has it. */
export const idempotencyId = "globals.resources.idempotency";

/** A call that is to run once. */
export interface OnceCall {
  readonly taskId: string;
  /** Who calls: keys of one caller mean nothing for another. Absent for calls of this process. */
  readonly caller: string | undefined;
  readonly key: string;
  readonly input: unknown;
  /** Aborts when this call is waited for no longer; the run goes on while another one waits. */
  readonly signals: readonly (AbortSignal | undefined)[];
  /** Receives that the outcome is that of an earlier call. */
  readonly onReplayed?: (() => void) | undefined;
}

/** Runs a task, unless a call with this key has: then its outcome is given again. */
export interface Idempotency {
  run(call: OnceCall, task: TaskCell["task"], start: (signal: AbortSignal) => Promise<unknown>): Promise<unknown>;
}

/** What keeps the calls of a run from running twice. */
export const idempotencyOf = (store: Store): Idempotency | undefined =>
  store.resources.get(idempotencyId)?.value as Idempotency | undefined;

/**
 * The key that a caller gave to a call.
 *
 * @returns `undefined` where there is none, or the task makes its keys itself
 * @throws {idempotencyUnsupportedError} it is no key, or the call cannot have one
 */
export function readKey({ headers, body }: WireRequest, task: TaskCell["task"]): string | undefined {
  const key = headers[idempotencyKeyHeader];
  if (key === undefined || idempotent.extract(task)?.key !== undefined) return undefined;
  const refuse = (reason: string): Error => idempotencyUnsupportedError.create({ taskId: task.id, reason });
  if (typeof key !== "string" || !isKey(key)) throw refuse(notAKey);
  if (task.streams === true) throw refuse("it streams its items");
  if (body.kind !== "text") throw refuse("it sends files or a stream");
  return key;
}

export const notAKey = "its key is not 1 to 200 visible ASCII characters";

export const isKey = (key: unknown): key is string => typeof key === "string" && /^[\x21-\x7e]{1,200}$/.test(key);

/** @throws {idempotencyUnavailableError} the application is a bundle without it */
export function assertAvailable(idempotency: Idempotency | undefined, taskId: string): Idempotency {
  if (idempotency === undefined) throw idempotencyUnavailableError.create({ taskId });
  return idempotency;
}
