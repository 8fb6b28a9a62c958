import { journal } from "../../define/journal";
import { circuitOpenError } from "../../errors/middlewareErrors";
import { frameworkResource } from "../frameworkResource";
import { builtinTaskMiddleware } from "./builtin";
import { field, schemaOf } from "./checkConfig";

/** When a breaker opens, and for how long. */
export interface CircuitBreakerMiddlewareConfig {
  /** Failures in a row after which calls are refused. Default 5. */
  readonly failureThreshold?: number | undefined;
  /** How long calls are refused, in ms. Default 30,000. */
  readonly resetTimeout?: number | undefined;
  /** Calls that try at a time, after that, whether the task works again. Default 1. */
  readonly halfOpenProbes?: number | undefined;
}

/** The states of a breaker, by name. */
export const CircuitBreakerState = /* @__PURE__ */ Object.freeze({
  CLOSED: "CLOSED",
  OPEN: "OPEN",
  HALF_OPEN: "HALF_OPEN",
} as const);
/** `CLOSED` lets calls through, `OPEN` refuses them, `HALF_OPEN` tries a few. */
export type CircuitBreakerState = (typeof CircuitBreakerState)[keyof typeof CircuitBreakerState];

/** What a breaker knows of a task. */
export interface CircuitBreakerStatus {
  state: CircuitBreakerState;
  /** In a row. */
  failures: number;
  /** In ms since 1970; 0 before the first. */
  lastFailureTime: number;
}

/** The breakers of one run, by task id. */
export interface CircuitBreakers {
  readonly statusMap: Map<string, CircuitBreakerStatus>;
}

/** The breakers of this run. */
export const circuitBreakers = /* @__PURE__ */ frameworkResource<CircuitBreakers>("globals.resources.circuitBreaker", {
  value: () => ({ statusMap: new Map<string, Breaker>() }),
});

const breakerJournalKeys = /* @__PURE__ */ (() => ({
  /** The state in which the call was let through, or refused. */
  state: journal.createKey<CircuitBreakerState>("globals.middleware.circuitBreaker.state"),
  /** Failures in a row before the call. */
  failures: journal.createKey<number>("globals.middleware.circuitBreaker.failures"),
}))();

/**
 * Refuses the calls of a task with `circuitOpenError` once a number of them failed in a row, until it has had time to recover.
 * Only calls that were let through in the present state decide what comes next: a late outcome changes nothing, and neither
 * does a call that its caller left.
 */
export const circuitBreaker = /* @__PURE__ */ builtinTaskMiddleware({
  id: "globals.middleware.circuitBreaker",
  configSchema: /* @__PURE__ */ (() =>
    schemaOf<CircuitBreakerMiddlewareConfig>({
      failureThreshold: field.positiveCount,
      resetTimeout: field.milliseconds,
      halfOpenProbes: field.positiveCount,
    }))(),
  journalKeys: breakerJournalKeys,
  dependencies: { breakers: circuitBreakers },
  async run(input, { breakers: { statusMap } }, config) {
    const { task, next, journal: executionJournal } = input;
    const { id } = task.definition;
    let breaker = statusMap.get(id) as Breaker | undefined;
    if (breaker === undefined) statusMap.set(id, (breaker = new Breaker()));

    const refusedForMs = breaker.enter(Date.now(), config);
    executionJournal.set(breakerJournalKeys.state, breaker.state, { override: true });
    executionJournal.set(breakerJournalKeys.failures, breaker.failures, { override: true });
    if (refusedForMs !== undefined) throw circuitOpenError.create({ taskId: id, retryAfterMs: refusedForMs });

    const { era } = breaker;
    try {
      const result: unknown = await next(task.input);
      breaker.succeed(era);
      return result;
    } catch (error) {
      if (input.signal.aborted) breaker.leave(era);
      else breaker.fail(era, Date.now(), config);
      throw error;
    }
  },
});

/** The state machine. An era lasts from one change of state to the next. */
class Breaker implements CircuitBreakerStatus {
  state: CircuitBreakerState = "CLOSED";
  failures = 0;
  lastFailureTime = 0;
  era = 0;
  #probes = 0;

  /** Lets a call through. @returns for how long it is refused otherwise, in ms */
  enter(
    now: number,
    { resetTimeout = 30_000, halfOpenProbes = 1 }: CircuitBreakerMiddlewareConfig,
  ): number | undefined {
    if (this.state === "CLOSED") return undefined;
    if (this.state === "OPEN") {
      const leftMs = this.lastFailureTime + resetTimeout - now;
      // A clock that was set back does not keep it open.
      if (leftMs > 0 && now >= this.lastFailureTime) return leftMs;
      this.#turn("HALF_OPEN");
    }
    if (this.#probes >= halfOpenProbes) return 0;
    this.#probes += 1;
    return undefined;
  }

  succeed(era: number): void {
    if (era !== this.era) return;
    this.failures = 0;
    if (this.state === "HALF_OPEN") this.#turn("CLOSED");
  }

  fail(era: number, now: number, { failureThreshold = 5 }: CircuitBreakerMiddlewareConfig): void {
    if (era !== this.era) return;
    this.failures += 1;
    this.lastFailureTime = now;
    if (this.state === "HALF_OPEN" || this.failures >= failureThreshold) this.#turn("OPEN");
  }

  /** A call ended without showing whether the task works. */
  leave(era: number): void {
    if (era === this.era && this.state === "HALF_OPEN") this.#probes -= 1;
  }

  #turn(state: CircuitBreakerState): void {
    this.state = state;
    this.era += 1;
    this.#probes = 0;
  }
}
