import { Deadline } from "../../lib/deadline";
import { linkSignals, type LinkedSignal } from "../../lib/linkSignals";
import { abortAfter, type AbortTimer } from "../../lib/timers";
import { deadlineExceededError } from "../../errors/deadlineExceeded";
import { readDeadlineMs } from "../protocol/deadlineHeader";
import type { WireRequest } from "../protocol/wire";

/** The time that a served call has, from its arrival on. */
export class CallTime {
  readonly deadline: Deadline;
  readonly #timer: AbortTimer;
  #linked: LinkedSignal | undefined;
  #isHeld = false;

  constructor(timeoutMs: number, id: string) {
    this.deadline = Deadline.in(timeoutMs);
    this.#timer = abortAfter(timeoutMs, () => deadlineExceededError.create({ id, timeoutMs }));
  }

  /** Aborts when the time is up. */
  get expired(): AbortSignal {
    return this.#timer.expired;
  }

  /** Aborts with the caller's signal as well. */
  signalOf({ signal }: WireRequest): AbortSignal {
    if (signal === undefined) return this.expired;
    return (this.#linked ??= linkSignals([signal, this.expired])).signal;
  }

  /** The time goes on after the reply has begun, until `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** The call has settled: what outlives it sees no later abort. */
  release(): void {
    this.#timer.stop();
    this.#linked?.release();
  }
}

/**
 * The time of a call, where its caller sets one or the server limits it.
 *
 * @param onMalformed receives a deadline that is no number of milliseconds, and is ignored
 */
export function callTimeOf(
  { headers, target }: WireRequest,
  maxDeadlineMs: number | undefined,
  onMalformed: () => void,
): CallTime | undefined {
  const stated = readDeadlineMs(headers);
  if (stated === undefined && maxDeadlineMs === undefined) return undefined;
  if (Number.isNaN(stated)) onMalformed();
  const timeoutMs = Math.min(
    stated === undefined || Number.isNaN(stated) ? Infinity : stated,
    maxDeadlineMs ?? Infinity,
  );
  return timeoutMs === Infinity ? undefined : new CallTime(timeoutMs, target.id);
}
