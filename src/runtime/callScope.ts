import { linkSignals } from "../lib/linkSignals";

/**
 * What a call shares with all it calls in turn: tasks, the hooks of its emissions, calls to other processes.
 *
 * Members are read lazily, because reading the signal may be what makes it. A call that came from inside the process
 * and was given no signal has no scope, so it costs nothing.
 */
export interface CallScope {
  /** Aborts when the caller gives the call up. */
  readonly signal: AbortSignal;
  /** What the call came in by, as `"exposure:http"`; absent for calls of this process. */
  readonly origin?: string | undefined;
}

/** The scope of a call that is given a signal of its own, which takes the place of the outer one. */
export const withSignal = (outer: CallScope | undefined, signal: AbortSignal): CallScope =>
  outer?.origin === undefined ? { signal } : { signal, origin: outer.origin };

/** A scope for a part of a call. */
export interface DerivedScope {
  readonly scope: CallScope;
  /** Called when the part has settled: what outlives it sees no later abort. */
  release(): void;
}

/** A scope inside another one: it aborts with the outer signal, and with its own. */
export function deriveScope(outer: CallScope | undefined, signal: AbortSignal): DerivedScope {
  if (outer === undefined) return { scope: { signal }, release() {} };
  const linked = linkSignals([outer.signal, signal]);
  return { scope: withSignal(outer, linked.signal), release: linked.release };
}
