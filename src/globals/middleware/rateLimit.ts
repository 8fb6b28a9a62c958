import { journal } from "../../define/journal";
import type { ITaskMiddlewareExecutionInput } from "../../define/middleware";
import { rateLimitError } from "../../errors/middlewareErrors";
import { assertSync } from "../../lib/assertSync";
import { frameworkResource } from "../frameworkResource";
import { builtinTaskMiddleware } from "./builtin";

/** Who makes a call, as far as it is known. */
export interface RateLimitCaller {
  /** `"local"`, or what the call came in by. */
  readonly origin: string;
  /** What authentication calls the caller, if it came in from outside. */
  readonly name?: string | undefined;
  /** What authentication found out about the caller. */
  readonly principal?: unknown;
}

/** How many calls are admitted. */
export interface RateLimitMiddlewareConfig {
  /** Length of a window, in ms. */
  readonly windowMs: number;
  /** Calls that a window admits, of all tasks that share this config object. Those that fail count. */
  readonly max: number;
  /**
   * `"fixed"`: windows follow each other, the first begins with a call. `"sliding"`: at no moment were more than `max` calls
   * admitted within the last `windowMs`, for which the time of each is remembered. Default `"fixed"`.
   */
  readonly window?: "fixed" | "sliding" | undefined;
  /** Calls with the same key share a limit; each key has its own. Default: all calls share one. */
  readonly key?: ((input: any, caller: RateLimitCaller) => string) | undefined; // the input of any task
  /** Most keys that are remembered; beyond it the one that was used least recently is forgotten. Default 10,000. */
  readonly maxKeys?: number | undefined;
}

/** What a limit has counted. */
export interface RateLimitState {
  /** Calls admitted in this window. */
  count: number;
  /** When more calls are admitted, in ms since 1970. */
  resetTime: number;
}

/** The limits of one run. */
export interface RateLimits {
  /** Of limits without a key. */
  readonly states: WeakMap<RateLimitMiddlewareConfig, RateLimitState>;
  /** Of limits with a key, by key. */
  readonly statesByKey: WeakMap<RateLimitMiddlewareConfig, Map<string, RateLimitState>>;
}

/** What the limits of this run have counted. */
export const rateLimits = /* @__PURE__ */ frameworkResource<RateLimits>("globals.resources.rateLimit", {
  value: () => ({ states: new WeakMap(), statesByKey: new WeakMap() }),
});

const rateLimitJournalKeys = /* @__PURE__ */ (() => ({
  /** Calls that the window still admits after this one. */
  remaining: journal.createKey<number>("globals.middleware.rateLimit.remaining"),
  /** When more calls are admitted, in ms since 1970. */
  resetTime: journal.createKey<number>("globals.middleware.rateLimit.resetTime"),
  /** Calls that a window admits. */
  limit: journal.createKey<number>("globals.middleware.rateLimit.limit"),
}))();

/** Admits a number of calls in a window of time, and refuses further ones with `rateLimitError`. */
export const rateLimit = /* @__PURE__ */ builtinTaskMiddleware({
  id: "globals.middleware.rateLimit",
  configSchema: { parse: checkConfig },
  journalKeys: rateLimitJournalKeys,
  dependencies: { limits: rateLimits },
  async run(input, { limits }, config) {
    const { task, next, journal: executionJournal } = input;
    const counter = counterOf(config, limits, input);
    const now = Date.now();
    const isAdmitted = counter.admit(now);
    const { max: limit } = config;
    const { resetTime } = counter;
    executionJournal.set(rateLimitJournalKeys.remaining, Math.max(0, limit - counter.count), { override: true });
    executionJournal.set(rateLimitJournalKeys.resetTime, resetTime, { override: true });
    executionJournal.set(rateLimitJournalKeys.limit, limit, { override: true });
    if (!isAdmitted) throw rateLimitError.create({ limit, resetTime, retryAfterMs: Math.max(0, resetTime - now) });
    return next(task.input);
  },
});

/** Counts the calls of one limit. */
interface Counter extends RateLimitState {
  /** Counts a call, if the window admits it. */
  admit(now: number): boolean;
}

function counterOf(
  config: RateLimitMiddlewareConfig,
  { states, statesByKey }: RateLimits,
  input: ITaskMiddlewareExecutionInput,
): Counter {
  const { key } = config;
  if (key === undefined) {
    let counter = states.get(config) as Counter | undefined;
    if (counter === undefined) states.set(config, (counter = createCounter(config)));
    return counter;
  }
  let counters = statesByKey.get(config) as Map<string, Counter> | undefined;
  if (counters === undefined) statesByKey.set(config, (counters = new Map<string, Counter>()));
  const of = assertSync(key(input.task.input, callerOf(input)), "config.key");
  const counter = counters.get(of) ?? createCounter(config);
  // The map is in the order of use: what is forgotten first is the least likely to have counted anything.
  counters.delete(of);
  counters.set(of, counter);
  if (counters.size > (config.maxKeys ?? defaultMaxKeys)) forgetFirst(counters);
  return counter;
}

const defaultMaxKeys = 10_000;

function forgetFirst(counters: Map<string, Counter>): void {
  for (const key of counters.keys()) return void counters.delete(key);
}

function callerOf(input: ITaskMiddlewareExecutionInput): RateLimitCaller {
  const { origin, name, principal } = input;
  return { origin, name, principal };
}

function createCounter(config: RateLimitMiddlewareConfig): Counter {
  checkConfig(config);
  return config.window === "sliding" ? new SlidingWindow(config) : new FixedWindow(config);
}

class FixedWindow implements Counter {
  count = 0;
  resetTime = -Infinity;

  constructor(readonly config: RateLimitMiddlewareConfig) {}

  admit(now: number): boolean {
    const { windowMs, max } = this.config;
    // A clock that was set back does not lengthen a window.
    if (now > this.resetTime || this.resetTime - now > windowMs) {
      this.count = 0;
      this.resetTime = now + windowMs;
    }
    if (this.count >= max) return false;
    this.count += 1;
    return true;
  }
}

class SlidingWindow implements Counter {
  resetTime = 0;
  /** When the calls of the window were admitted, from `#first` on. */
  #times: number[] = [];
  #first = 0;

  constructor(readonly config: RateLimitMiddlewareConfig) {}

  get count(): number {
    return this.#times.length - this.#first;
  }

  admit(now: number): boolean {
    const { windowMs, max } = this.config;
    for (let oldest = this.#oldest; oldest !== undefined && isPast(oldest, now, windowMs); oldest = this.#oldest) {
      this.#first += 1;
    }
    if (this.#first > 1000 && this.#first * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#first);
      this.#first = 0;
    }
    const isAdmitted = this.count < max;
    if (isAdmitted) this.#times.push(now);
    this.resetTime = (this.#oldest ?? now) + windowMs;
    return isAdmitted;
  }

  get #oldest(): number | undefined {
    return this.#times[this.#first];
  }
}

/** Also what lies in the future: then the clock was set back. */
const isPast = (time: number, now: number, windowMs: number): boolean => now - time >= windowMs || time > now;

/** The messages are those of 5.x. */
function checkConfig(config: RateLimitMiddlewareConfig): RateLimitMiddlewareConfig {
  const given: unknown = config;
  if (typeof given !== "object" || given === null) {
    throw new TypeError("rateLimitTaskMiddleware requires .with({ windowMs, max }) configuration.");
  }
  const { windowMs, max, window, key, maxKeys } = given as Record<string, unknown>;
  for (const [name, value] of Object.entries({ windowMs, max, maxKeys: maxKeys ?? 1 })) {
    if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) {
      throw new TypeError(`rateLimitTaskMiddleware requires a positive number for config.${name}.`);
    }
  }
  if (window !== undefined && window !== "fixed" && window !== "sliding") {
    throw new TypeError('rateLimitTaskMiddleware requires "fixed" or "sliding" for config.window.');
  }
  if (key !== undefined && typeof key !== "function") {
    throw new TypeError("rateLimitTaskMiddleware requires a function for config.key.");
  }
  return config;
}
