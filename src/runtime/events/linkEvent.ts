import { locateListenerFailure } from "../../errors/listenerFailure";
import { runDisposedError, validationError } from "../../errors/runErrors";
import type { IEvent, IEventEmission } from "../../define/event";
import { describeValue } from "../../lib/describeValue";
import { isThenable } from "../../lib/guards";
import { listIn } from "../../lib/graph";
import type { CallScope } from "../callScope";
import type { RunState } from "../runState";
import { validator } from "../validator";
import { Emission, type Listener } from "./emission";
import type { EmissionGuard } from "./emissionGuard";

/** Wraps emissions: calls `next` to go on, with the emission or another one, and is awaited by the emitter. */
export type EventEmissionInterceptor = (
  next: (emission: IEventEmission) => Promise<void>,
  emission: IEventEmission,
) => Promise<void>;

/** An interceptor of the framework's own, which sees the scope beside the emission. */
export type ScopedInterceptor = (
  next: (emission: IEventEmission) => Promise<void>,
  emission: IEventEmission,
  scope: CallScope | undefined,
) => Promise<void>;

/** All that the emission of an event is made of. */
export interface EventLink {
  readonly event: IEvent;
  /** In calling order. */
  readonly listeners: readonly Listener[];
  /** First one is outermost. */
  readonly interceptors: readonly ScopedInterceptor[];
  /** Set for events that may be emitted from inside their own emission. */
  readonly guard: EmissionGuard | undefined;
  readonly state: RunState;
}

/** A linked event. Neither function throws synchronously. */
export interface LinkedEvent {
  /** Whether an emission would reach nothing: neither listeners nor interceptors. */
  readonly isUnheard: boolean;
  readonly emit: (data: unknown, source: string, scope?: CallScope) => Promise<void>;
  /** Resolves with the data of the emission that got furthest, as listeners left it. */
  readonly emitWithResult: (data: unknown, source: string, scope?: CallScope) => Promise<unknown>;
}

/** Bakes an event into functions. Payload schema first, then interceptors, then listeners. */
export function linkEvent(link: EventLink): LinkedEvent {
  const { event, listeners, interceptors, guard } = link;
  const deliver = linkListeners(link);
  const parse = event.payloadSchema && validator(event.payloadSchema, "Event payload", event.id);
  if (interceptors.length === 0 && guard === undefined && parse === undefined) {
    return linkPlain(event, listeners.length === 0, deliver);
  }

  const through = interceptors.length === 0 ? deliverOnly(deliver) : intercepted(interceptors, deliver);
  const run: Run = async (data, source, scope) => {
    const parsed = parse ? parse(data) : data;
    const emission = new Emission(event, isThenable(parsed) ? await parsed : parsed, source, scope);
    return guard === undefined ? through(emission, scope) : guard.emit(emission, () => through(emission, scope));
  };
  return {
    isUnheard: false,
    emit: async (data, source, scope) => void (await run(data, source, scope)),
    emitWithResult: async (data, source, scope) => (await run(data, source, scope)).data as unknown,
  };
}

/** An event of a run that was disposed of: it has no listeners, and is emitted only by what is still under way. */
export function linkClosed({ id }: IEvent, state: RunState): LinkedEvent {
  const emitWithResult = async (data: unknown): Promise<unknown> => {
    if (state.isOver) throw runDisposedError.create({ kind: "event", id });
    return data;
  };
  return { isUnheard: true, emit: async (data) => void (await emitWithResult(data)), emitWithResult };
}

type Run = (data: unknown, source: string, scope: CallScope | undefined) => Promise<IEventEmission>;
/** The scope travels beside the emission, because interceptors copy emissions. */
type Deliver = (emission: IEventEmission, scope: CallScope | undefined) => Promise<void> | undefined;

/** Nothing but listeners: without any, no emission is made. */
function linkPlain(event: IEvent, isUnheard: boolean, deliver: Deliver): LinkedEvent {
  return {
    isUnheard,
    emit: isUnheard
      ? () => Promise.resolve()
      : (data, source, scope) => {
          try {
            return deliver(new Emission(event, data, source, scope), scope) ?? Promise.resolve();
          } catch (error) {
            return Promise.reject(error);
          }
        },
    async emitWithResult(data, source, scope) {
      const emission = new Emission(event, data, source, scope);
      await deliver(emission, scope);
      return emission.data;
    },
  };
}

const deliverOnly =
  (deliver: Deliver) =>
  async (emission: IEventEmission, scope: CallScope | undefined): Promise<IEventEmission> => {
    await deliver(emission, scope);
    return emission;
  };

/** The onion of interceptors; remembers the innermost emission any of them passed on. */
function intercepted(interceptors: readonly ScopedInterceptor[], deliver: Deliver) {
  return async (first: IEventEmission, scope: CallScope | undefined): Promise<IEventEmission> => {
    let reached = first;
    const runFrom = async (index: number, emission: IEventEmission): Promise<void> => {
      if (index > 0) assertSameControls(first, emission);
      reached = emission;
      const interceptor = interceptors[index];
      if (interceptor === undefined) await deliver(emission, scope);
      else await interceptor((passed) => runFrom(index + 1, passed), emission, scope);
    };
    await runFrom(0, first);
    return reached;
  };
}

function assertSameControls(first: IEventEmission, passed: IEventEmission | undefined): void {
  if (passed?.stopPropagation === first.stopPropagation && passed.isPropagationStopped === first.isPropagationStopped)
    return;
  throw validationError.create({
    subject: "Event interceptor",
    id: first.id,
    originalError: "Interceptors cannot override stopPropagation/isPropagationStopped",
  });
}

function linkListeners({ event, listeners, guard, state }: EventLink): Deliver {
  const guarded = guard === undefined ? listeners : listeners.map((listener) => guard.listener(listener));
  const [only] = guarded;
  if (only === undefined) return () => undefined;
  if (event.parallel) return deliverInBatches(batchByOrder(guarded), state);
  return guarded.length === 1 ? deliverToOne(only, event.id, state) : deliverInTurn(guarded, state);
}

/** A listener is not called for what it emitted itself. */
function wants({ id, filter }: Listener, emission: IEventEmission): boolean {
  return (id === undefined || id !== emission.source) && (filter === undefined || filter(emission));
}

function locate(thrown: unknown, { id, isHook }: Listener, eventId: string): unknown {
  return locateListenerFailure(thrown, { eventId, listenerId: id, kind: isHook ? "hook" : "listener" });
}

function deliverToOne(listener: Listener, eventId: string, state: RunState): Deliver {
  const leave = (): void => void (state.underWay -= 1);
  const fail = (error: unknown): never => {
    state.underWay -= 1;
    throw locate(error, listener, eventId);
  };
  return (emission, scope) => {
    if (!wants(listener, emission)) return undefined;
    state.underWay += 1;
    try {
      const result = listener.run(emission, scope);
      if (result instanceof Promise) return result.then(leave, fail);
      if (isThenable(result)) return Promise.resolve(result).then(leave, fail);
    } catch (error) {
      return fail(error);
    }
    state.underWay -= 1;
    return undefined;
  };
}

/** Written out by index and constructor, because this loop is most of what an emission with several hooks costs. */
function deliverInTurn(listeners: readonly Listener[], state: RunState): Deliver {
  return async (emission, scope) => {
    const { source } = emission;
    let index = 0;
    state.underWay += 1;
    try {
      for (; index < listeners.length; index++) {
        const listener = listeners[index] as Listener;
        const { id, filter } = listener;
        if ((id !== undefined && id === source) || (filter !== undefined && !filter(emission))) continue;
        const result = listener.run(emission, scope);
        if (result instanceof Promise) await result;
        else if (isThenable(result)) await result;
        if (emission.isPropagationStopped()) return;
      }
    } catch (error) {
      throw locate(error, listeners[index] as Listener, emission.id);
    } finally {
      state.underWay -= 1;
    }
  };
}

function batchByOrder(listeners: readonly Listener[]): readonly (readonly Listener[])[] {
  const batches = new Map<number, Listener[]>();
  for (const listener of listeners) listIn(batches, listener.order).push(listener);
  return [...batches.values()];
}

/** Listeners of one order run together and all settle; the next order follows only if none failed. */
function deliverInBatches(batches: readonly (readonly Listener[])[], state: RunState): Deliver {
  return async (emission, scope) => {
    state.underWay += 1;
    try {
      for (const batch of batches) {
        if (emission.isPropagationStopped()) return;
        const failures = await runBatch(batch, emission, scope);
        if (failures.length > 0) throw batchFailure(failures);
      }
    } finally {
      state.underWay -= 1;
    }
  };
}

/** Failures in the order of the listeners, whichever failed first. */
async function runBatch(
  batch: readonly Listener[],
  emission: IEventEmission,
  scope: CallScope | undefined,
): Promise<Error[]> {
  const outcomes = await Promise.all(
    batch.map(async (listener) => {
      try {
        if (wants(listener, emission)) await listener.run(emission, scope);
        return undefined;
      } catch (error) {
        return annotate(locate(error, listener, emission.id) as Error, listener);
      }
    }),
  );
  return outcomes.filter((failure) => failure !== undefined);
}

function annotate(error: Error, { id, order }: Listener): Error {
  for (const [key, value] of [
    ["listenerId", id],
    ["listenerOrder", order],
  ] as const) {
    if (!(key in error))
      Reflect.defineProperty(error, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return error;
}

function batchFailure(failures: readonly Error[]): Error {
  const [first] = failures;
  if (failures.length === 1 && first !== undefined) return first;
  const lines = failures.map((error) => `\n  ${indent(describeValue(error.message))}`);
  return new AggregateError(failures, `${failures.length} listeners failed in parallel batch${lines.join("")}`);
}

const indent = (text: string): string => text.replaceAll("\n", "\n  ");
