import type { ITaskMiddlewareExecutionInput } from "../../define/middleware";
import { longestTimerMs } from "../../lib/timers";
import { frameworkResource } from "../frameworkResource";
import { builtinTaskMiddleware } from "./builtin";
import { field, schemaOf } from "./checkConfig";
import { notStarted, runEnding, type RunEnding } from "./runEnding";
import { SharedRun } from "./sharedRun";

/** How long calls are gathered. */
export interface TemporalMiddlewareConfig {
  /** Milliseconds. */
  readonly ms: number;
}

/** Calls of one task that wait for silence. */
export interface DebounceState {
  /** How many have come since the last silence, and have not left. */
  waiting: number;
}

/** When a task ran last, and the calls that wait for the end of the window. */
export interface ThrottleState extends DebounceState {
  /** In ms of `performance.now()`. */
  lastRunAt: number;
}

/** What is gathered in one run: by config, then by task id, since calls of two tasks cannot share an outcome. */
export interface TemporalState {
  readonly debounceStates: WeakMap<TemporalMiddlewareConfig, Map<string, DebounceState>>;
  readonly throttleStates: WeakMap<TemporalMiddlewareConfig, Map<string, ThrottleState>>;
}

/** What the calls of this run wait for. */
export const temporalState = /* @__PURE__ */ frameworkResource<TemporalState>("globals.resources.temporal", {
  value: () => ({ debounceStates: new WeakMap(), throttleStates: new WeakMap() }),
});

const configSchema = /* @__PURE__ */ (() => schemaOf<TemporalMiddlewareConfig>({ ms: field.milliseconds }))();

/**
 * Runs a task once its calls have ceased for a time: with the latest input, and all of them share the outcome. A caller that
 * leaves is left out.
 */
export const debounce = /* @__PURE__ */ builtinTaskMiddleware({
  id: "globals.middleware.debounce",
  refusesStreams: true,
  configSchema,
  dependencies: { state: temporalState, ending: runEnding },
  async run(input, { state: { debounceStates }, ending }, config) {
    const gathered = stateOf(debounceStates, config, input, () => new Gathered(ending)) as Gathered;
    return gathered.join(input, readMs("debounce", config));
  },
});

/**
 * Runs a task at most once in a time: the first call at once, and those that come too early together when the time is over,
 * with the latest input and one outcome. A caller that leaves is left out.
 */
export const throttle = /* @__PURE__ */ builtinTaskMiddleware({
  id: "globals.middleware.throttle",
  refusesStreams: true,
  configSchema,
  dependencies: { state: temporalState, ending: runEnding },
  async run(input, { state: { throttleStates }, ending }, config) {
    const ms = readMs("throttle", config);
    const window = stateOf(throttleStates, config, input, () => new Window(ending)) as Window;
    const leftMs = window.lastRunAt + ms - performance.now();
    if (leftMs > 0) return window.join(input, leftMs);
    window.lastRunAt = performance.now();
    return window.waiting === 0 ? input.next(input.task.input) : window.joinNow(input);
  },
});

function stateOf<S>(
  states: WeakMap<TemporalMiddlewareConfig, Map<string, S>>,
  config: TemporalMiddlewareConfig,
  { task }: ITaskMiddlewareExecutionInput,
  create: () => S,
): S {
  let byTask = states.get(config);
  if (byTask === undefined) states.set(config, (byTask = new Map()));
  const { id } = task.definition;
  let state = byTask.get(id);
  if (state === undefined) byTask.set(id, (state = create()));
  return state;
}

/** Attached without a config, which the types refuse, there is nothing to go by. */
function readMs(name: string, { ms }: Partial<TemporalMiddlewareConfig>): number {
  if (ms === undefined) throw new TypeError(`${name}TaskMiddleware requires .with({ ms }) configuration.`);
  return ms;
}

/** Calls that share one run to come. */
class Gathered implements DebounceState {
  readonly #ending: RunEnding;
  #next: SharedRun | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop: () => void = () => {};
  waiting = 0;

  constructor(ending: RunEnding) {
    this.#ending = ending;
  }

  /** Joins the run to come, which begins after a time without further calls. */
  join(input: ITaskMiddlewareExecutionInput, afterMs: number): Promise<unknown> {
    return this.#joinAnd(input, () => this.arm(afterMs));
  }

  /** Joins the run to come, which begins now. */
  joinNow(input: ITaskMiddlewareExecutionInput): Promise<unknown> {
    return this.#joinAnd(input, () => this.begin());
  }

  /** When the run begins; asked again, later. */
  protected arm(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.begin(), Math.min(afterMs, longestTimerMs));
  }

  protected get isArmed(): boolean {
    return this.#timer !== undefined;
  }

  protected begin(): void {
    this.#close()?.start();
  }

  async #joinAnd(input: ITaskMiddlewareExecutionInput, then: () => void): Promise<unknown> {
    const { id } = input.task.definition;
    if (this.#ending.hasBegun) throw notStarted(id);
    const run = (this.#next ??= this.#open(id));
    this.waiting += 1;
    const outcome = run.join(input);
    // Its signal may have aborted already.
    if (run === this.#next) then();
    try {
      return await outcome;
    } finally {
      if (run === this.#next) this.waiting -= 1;
    }
  }

  #open(taskId: string): SharedRun {
    const run = new SharedRun(() => {
      if (run === this.#next) this.#close();
    });
    this.#stop = this.#ending.onBegin(() => this.#close()?.refuse(notStarted(taskId)));
    return run;
  }

  /** From now on calls gather for another run. */
  #close(): SharedRun | undefined {
    const run = this.#next;
    clearTimeout(this.#timer);
    this.#stop();
    this.#timer = undefined;
    this.#next = undefined;
    this.waiting = 0;
    return run;
  }
}

/** Calls that came too early share one run at the end of the window. */
class Window extends Gathered implements ThrottleState {
  lastRunAt = -Infinity;

  protected override arm(afterMs: number): void {
    if (!this.isArmed) super.arm(afterMs);
  }

  protected override begin(): void {
    this.lastRunAt = performance.now();
    super.begin();
  }
}
