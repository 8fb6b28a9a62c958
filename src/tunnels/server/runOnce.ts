import { journal, MapJournal, type ExecutionJournal } from "../../define/journal";
import { idempotencyUnavailableError, idempotencyUnsupportedError } from "../../errors/idempotencyErrors";
import type { TaskCell } from "../../runtime/link/taskCell";
import type { Store } from "../../runtime/run/store";
import { idempotencyKeyHeader } from "../protocol/headers";
import { isKey, keyProblems } from "../protocol/idempotencyKey";
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

/** In the journal of a served call whose key the task makes: receives that its outcome is that of an earlier call. */
export const replayWatch = /* @__PURE__ */ journal.createKey<() => void>("globals.idempotency.replayWatch");

/** The journal of a served call. @returns `undefined` where the task makes no keys */
export function watchReplay(task: TaskCell["task"], onReplayed: () => void): ExecutionJournal | undefined {
  if (!makesKeys(task)) return undefined;
  const own = new MapJournal();
  own.set(replayWatch, onReplayed);
  return own;
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
  if (makesKeys(task)) {
    if (body.kind !== "text") throw idempotencyUnsupportedError.create({ taskId: task.id, reason: keyProblems.body });
    return undefined;
  }
  const key = headers[idempotencyKeyHeader];
  if (key === undefined) return undefined;
  assertKeyed(task, { key, hasItems: body.kind !== "text" });
  return key as string;
}

/** Whether its tag makes keys of inputs. */
const makesKeys = (task: TaskCell["task"]): boolean =>
  task.tags.length > 0 && idempotent.extract(task)?.key !== undefined;

/** @param hasItems whether something is sent beside the input @throws {idempotencyUnsupportedError} the call cannot have the key */
export function assertKeyed(
  { id: taskId, streams }: TaskCell["task"],
  { key, hasItems }: { readonly key: unknown; readonly hasItems: boolean },
): void {
  const { notAKey, streams: streamed, body } = keyProblems;
  const reason = !isKey(key) ? notAKey : streams === true ? streamed : hasItems ? body : undefined;
  if (reason !== undefined) throw idempotencyUnsupportedError.create({ taskId, reason });
}

/** @throws {idempotencyUnavailableError} the application is a bundle without it */
export function assertAvailable(idempotency: Idempotency | undefined, taskId: string): Idempotency {
  if (idempotency === undefined) throw idempotencyUnavailableError.create({ taskId });
  return idempotency;
}
