import { deadlineExceededError } from "../errors/deadlineExceeded";
import { Deadline } from "../lib/deadline";
import { linkSignals } from "../lib/linkSignals";
import { abortAfter } from "../lib/timers";
import type { EmissionPath } from "../lib/emissionPath";
import type { TraceContext } from "../lib/traceContext";

/**
 * What a call shares with all it calls in turn: tasks, the hooks of its emissions, calls to other processes.
 *
 * Members are read lazily, because reading the signal may be what makes it. A call that came from inside the process
 * and was given no signal and no time has no scope, so it costs nothing.
 */
export interface CallScope {
  /** Aborts when the caller gives the call up, and when its time is up. */
  readonly signal: AbortSignal;
  /** When the time is up, where a caller on the way set one. */
  readonly deadline?: Deadline | undefined;
  /** The place of the call in a trace, where it has one. */
  readonly trace?: TraceContext | undefined;
  /** Id of the request that brought the call, or the one it is made for; absent for calls of this process. */
  readonly requestId?: string | undefined;
  /** What the call came in by, as `"exposure:http"`; absent for calls of this process. */
  readonly origin?: string | undefined;
  /** Who called from outside; absent for calls of this process. */
  readonly caller?: ScopeCaller | undefined;
  /** The way of the emission that came in; what is emitted for it in turn begins a way of its own. */
  readonly path?: EmissionPath | undefined;
}

/** Who called from outside, as authentication found out. */
export interface ScopeCaller {
  readonly name: string;
  readonly principal?: unknown;
}

/** The scope of a call that is given a signal of its own, which takes the place of the outer one. */
export const withSignal = (outer: CallScope | undefined, signal: AbortSignal): CallScope =>
  outer === undefined ? { signal } : inside(outer, signal, undefined);

const inside = (
  { trace, requestId, origin, caller }: Partial<CallScope>,
  signal: AbortSignal,
  deadline: Deadline | undefined,
): CallScope => ({
  signal,
  deadline,
  trace,
  requestId,
  origin,
  caller,
});

/**
 * The scope of a part that goes on for others than the caller, until `signal` aborts.
 *
 * @param timeoutMs what the part and others are told of the time that is left; it is counted where the signal comes from
 */
export const detachedScope = (outer: CallScope | undefined, signal: AbortSignal, timeoutMs?: number): CallScope =>
  inside(outer ?? {}, signal, timeoutMs === undefined ? undefined : Deadline.in(timeoutMs));

/** What limits a part of a call. */
export interface ScopeLimits {
  /** Aborts the part as well. */
  readonly signal?: AbortSignal | undefined;
  /** The time for the part, in ms; the outer deadline holds where it is earlier. */
  readonly timeoutMs?: number | undefined;
}

/** A scope for a part of a call. */
export interface DerivedScope {
  readonly scope: CallScope;
  /** Aborts when the part's own time is up: then it is waited for no longer. */
  readonly expired: AbortSignal | undefined;
  /** Called when the part has settled: what outlives it sees no later abort. */
  release(): void;
}

/**
 * A scope inside another one: it aborts with the outer signal, with its own, and when its time is up.
 *
 * @param id what the error for lack of time names
 */
export function deriveScope(
  outer: CallScope | undefined,
  { signal, timeoutMs }: ScopeLimits,
  id: string,
): DerivedScope {
  const own = timeoutMs === undefined ? undefined : Deadline.in(timeoutMs);
  const isOwnFirst = own !== undefined && (outer?.deadline === undefined || own.isBefore(outer.deadline));
  const timer =
    isOwnFirst && timeoutMs !== undefined
      ? abortAfter(timeoutMs, () => deadlineExceededError.create({ id, timeoutMs }))
      : undefined;
  const signals = [outer?.signal, signal, timer?.expired].filter((each) => each !== undefined);
  const linked = linkSignals(signals);
  const deadline = isOwnFirst ? own : outer?.deadline;
  return {
    scope: outer === undefined ? { signal: linked.signal, deadline } : inside(outer, linked.signal, deadline),
    expired: timer?.expired,
    release() {
      timer?.stop();
      linked.release();
    },
  };
}
