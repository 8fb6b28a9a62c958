import { describeValue } from "../../lib/describeValue";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { deriveScope, type CallScope, type ScopeLimits } from "../callScope";
import type { Call } from "./call";

/** One step of the chain around a task; may throw, may return anything. */
export type Step = (input: unknown, call: Call) => unknown;

/** Dependencies for one call, with those among them that call or emit bound to its scope. */
export type BindDependencies = (scope: CallScope) => object;

/** @returns `undefined` when every call gets the same */
export const dependenciesPerCall = (
  shared: object,
  bind: BindDependencies | undefined,
): ((call: Call) => object) | undefined => bind && (({ scope }) => (scope === undefined ? shared : bind(scope)));

/** What user code awaits or chains on is always a promise, even around a body that is not async. */
export function toPromise(step: Step, input: unknown, call: Call): Promise<unknown> {
  try {
    const result = step(input, call);
    return result instanceof Promise ? result : Promise.resolve(result);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Runs a part of a call under limits of its own. When its time is up it is not waited for, though it may go on. */
export async function inScope(
  outer: CallScope | undefined,
  limits: ScopeLimits,
  id: string,
  part: (scope: CallScope) => Promise<unknown>,
): Promise<unknown> {
  const { signal, timeoutMs = 1 } = limits;
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0)) {
    throw new TypeError(`timeoutMs of a call of "${id}" is a number of milliseconds, got ${describeValue(timeoutMs)}.`);
  }
  if (!isSignal(signal)) {
    throw new TypeError(`signal of a call of "${id}" is an AbortSignal, got ${describeValue(signal)}.`);
  }
  const { scope, expired, release } = deriveScope(outer, limits, id);
  try {
    return await settleOrAbort(part(scope), expired);
  } finally {
    release();
  }
}

/** Whether it can end a call, or there is none; not so an `AbortController`, which would end nothing. */
export const isSignal = (signal: AbortSignal | undefined): boolean =>
  signal === undefined || typeof (signal as Partial<AbortSignal> | null)?.throwIfAborted === "function";
