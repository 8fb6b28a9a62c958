import type { TraceContext } from "../lib/traceContext";

/** What every message on a tracing channel has. One object per call: each phase passes on the same one. */
export interface Traced {
  /**
   * The place of the call in a trace, where it has one. A listener of `start` may set another, or the first: what the call
   * calls in turn gets it, in this process and in others.
   */
  trace: TraceContext | undefined;
  /** A listener of `start` may set what the call is to run inside, as `(run) => context.with(mine, run)`. */
  enter?: (<T>(run: () => T) => T) | undefined;
  /** How long it took, in ms; from its end on. */
  ms?: number | undefined;
  /** What it failed with; from `error` on. */
  error?: unknown;
}

/** `start` and `end` are around the synchronous part of a call, `asyncStart` and `asyncEnd` follow once it has settled. */
export type TracePhase = "start" | "end" | "asyncStart" | "asyncEnd" | "error";

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: object): void;
  runStores<T>(message: object, fn: () => T): T;
}

type TracingChannel = { readonly [K in TracePhase]: Channel } & { readonly hasSubscribers?: boolean };

/**
 * A tracing channel of `node:diagnostics_channel`, and the observers of one run beside it.
 *
 * Goes through `process.getBuiltinModule`, as the async storage does; where the module is missing there are observers alone.
 *
 * @see https://nodejs.org/api/diagnostics_channel.html#tracingchannel-channels
 */
export class TracePoint<Message extends Traced> {
  readonly #name: string;
  readonly #channel: TracingChannel | undefined;
  readonly #observers: readonly ((event: never) => void)[];
  /** Those that want nothing of the other channels of the run. */
  readonly #own: ((event: never) => void)[] = [];

  /** @param observers read at each call, so that the list may grow; they receive `{ channel, phase, message }` */
  constructor(name: string, observers: readonly ((event: never) => void)[] = []) {
    this.#name = name;
    this.#channel = findChannel(name);
    this.#observers = observers;
  }

  /** Whether anything listens. Asked once per call, and what is published costs nothing unless it says so. */
  get isOn(): boolean {
    return this.#channel?.hasSubscribers === true || this.#observers.length > 0 || this.#own.length > 0;
  }

  /** Has one more observer receive what is published here, and here alone. @returns what takes that back */
  observe(observer: (event: never) => void): () => void {
    this.#own.push(observer);
    return () => {
      const index = this.#own.indexOf(observer);
      if (index >= 0) this.#own.splice(index, 1);
    };
  }

  /** Runs a call and publishes its phases. */
  async run<T>(message: Message, call: () => Promise<T>): Promise<T> {
    const startedAtMs = performance.now();
    try {
      return await this.#begin(message, call);
    } catch (error) {
      message.ms = performance.now() - startedAtMs;
      message.error = error;
      this.#publish("error", message);
      throw error;
    } finally {
      message.ms ??= performance.now() - startedAtMs;
      this.#publish("asyncStart", message);
      this.#publish("asyncEnd", message);
    }
  }

  /**
   * As `run`, for a call that goes on by callbacks and never fails: once contexts are in use, Node runs a hook for every promise.
   *
   * @param call is run in any case, also where what a listener has it run inside fails; calls `end` once
   */
  begin(message: Message, call: (end: () => void) => void): void {
    const startedAtMs = performance.now();
    const end = (): void => {
      message.ms = performance.now() - startedAtMs;
      this.#publish("asyncStart", message);
      this.#publish("asyncEnd", message);
    };
    let hasBegun = false;
    const run = (): void => {
      hasBegun = true;
      call(end);
    };
    try {
      this.#begin(message, run);
    } catch (error) {
      throwLater(error);
      if (!hasBegun) run();
    }
  }

  #begin<T>(message: Message, call: () => T): T {
    const inside = (): T => (message.enter === undefined ? call() : message.enter(call));
    this.#notify("start", message);
    try {
      // Also enters the stores that are bound to the channel.
      return this.#channel === undefined ? inside() : this.#channel.start.runStores(message, inside);
    } finally {
      this.#publish("end", message);
    }
  }

  #publish(phase: TracePhase, message: Message): void {
    this.#notify(phase, message);
    this.#channel?.[phase].publish(message);
  }

  #notify(phase: TracePhase, message: Message): void {
    for (const observe of this.#observers) this.#tell(observe, phase, message);
    for (const observe of this.#own) this.#tell(observe, phase, message);
  }

  #tell(observe: (event: never) => void, phase: TracePhase, message: Message): void {
    try {
      observe({ channel: this.#name, phase, message } as never);
    } catch (error) {
      throwLater(error);
    }
  }
}

/** As a channel does with what its subscribers throw. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

function findChannel(name: string): TracingChannel | undefined {
  const channels = globalThis.process?.getBuiltinModule?.("node:diagnostics_channel") as
    { tracingChannel?: (name: string) => TracingChannel } | undefined;
  const channel = channels?.tracingChannel?.(name);
  if (channel === undefined || channel.hasSubscribers !== undefined) return channel;
  // Older ones do not say it of all phases together.
  const { start, end, asyncStart, asyncEnd, error } = channel;
  const phases = { start, end, asyncStart, asyncEnd, error };
  return Object.defineProperty(phases, "hasSubscribers", {
    get: () => Object.values(phases).some(({ hasSubscribers }) => hasSubscribers),
  });
}
