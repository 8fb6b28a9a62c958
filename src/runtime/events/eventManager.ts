import { locateListenerFailure } from "../../errors/listenerFailure";
import { lockedError } from "../../errors/runErrors";
import type { EventHandlerType, IEvent, IEventEmission } from "../../define/event";
import type { IHook } from "../../define/hook";
import { listIn } from "../../lib/graph";
import { createTrackedScope, type TrackedScope } from "../../platform/trackedScope";
import { RunState } from "../runState";
import type { RunTracing } from "../tracing";
import type { AttachedHook, HookExecutionInterceptor } from "./attachedHook";
import { listenersInOrder, toListener, type IEventHandlerOptions } from "./eventListeners";
import { createEmissionGuard, type EmissionGuard, type GuardFrame } from "./emissionGuard";
import {
  linkClosed,
  linkEvent,
  type EventEmissionInterceptor,
  type LinkedEvent,
  type ScopedInterceptor,
} from "./linkEvent";
import type { Listener } from "./emission";

/** How an event manager is made. */
export interface EventManagerOptions {
  /** Refuse emissions that come round to themselves. Default true; needs AsyncLocalStorage. */
  runtimeEventCycleDetection?: boolean | undefined;
}

/** One event of a manager: injected emitters hold it and read `linked` on each call, so a relink reaches all of them. */
export interface EventCell {
  readonly event: IEvent;
  linked: LinkedEvent;
}

/**
 * Emits events to listeners. Every run has one; it also works on its own.
 *
 * Listeners run in ascending `order`; at equal order those of the event come before those of all events, and within
 * each kind in registration order.
 */
export class EventManager {
  readonly #cells = new Map<string, EventCell>();
  readonly #listeners = new Map<string, Listener[]>();
  /** Ids of events that come round to themselves, as far as is known. */
  readonly #guarded = new Set<string>();
  readonly #globalListeners: Listener[] = [];
  readonly #interceptors: InterceptorEntry[] = [];
  readonly #hookInterceptors: HookExecutionInterceptor[] = [];
  /** Until the manager is locked: hooks, to be called directly from then on. */
  readonly #attached: { readonly listener: Mutable<Listener>; readonly bake: AttachedHook["bake"] }[] = [];
  readonly #detectsCycles: boolean;
  #guard: EmissionGuard | undefined;
  /** Something the boot knows nothing of runs around events and may emit any of them, so each may come round. */
  #mayEmitAnything = false;
  #locked = false;
  readonly #state: RunState;
  readonly #tracing: RunTracing | undefined;
  #isClosed = false;

  constructor(options?: EventManagerOptions);
  /** @internal The manager of a run. */
  constructor(options: EventManagerOptions, state: RunState, tracing: RunTracing | undefined);
  constructor(options: EventManagerOptions = {}, state = new RunState(), tracing?: RunTracing) {
    this.#detectsCycles = options.runtimeEventCycleDetection !== false;
    this.#state = state;
    this.#tracing = tracing;
  }

  get isLocked(): boolean {
    return this.#locked;
  }

  /** From now on listeners and interceptors are refused; emitting goes on. */
  lock(): void {
    this.#locked = true;
    // What is around hooks cannot change any more.
    if (this.#hookInterceptors.length > 0) return;
    for (const { listener, bake } of this.#attached.splice(0)) listener.run = bake() ?? listener.run;
  }

  /**
   * Resolves when all listeners finished. A failing listener rejects the emission and keeps later ones from running.
   *
   * @throws {validationError} (as a rejection) the payload does not fit the event's schema
   * @throws {eventCycleError} (as a rejection) the event is being emitted on this async chain
   */
  emit<P>(event: IEvent<P>, data: P, source: string): Promise<void> {
    return this.cell(event).linked.emit(data, source);
  }

  /** As `emit`; resolves with the payload as listeners and interceptors left it. */
  emitWithResult<P>(event: IEvent<P>, data: P, source: string): Promise<P> {
    return this.cell(event).linked.emitWithResult(data, source) as Promise<P>;
  }

  /** @throws {lockedError} the manager is locked */
  addListener<P>(
    event: IEvent<P> | readonly IEvent<P>[],
    handler: EventHandlerType<P>,
    options?: IEventHandlerOptions<P>,
  ): void {
    this.#assertUnlocked();
    const listener = toListener(handler, options);
    for (const { id } of [event].flat() as IEvent[]) {
      // What a bare function emits is unknown, so the event may come round.
      this.#guarded.add(id);
      listIn(this.#listeners, id).push(listener);
      this.#relink(id);
    }
  }

  /**
   * @internal Receives an event before its listeners do, also once the manager is locked.
   *
   * @param run must not throw
   * @returns ends that
   */
  tap(id: string, run: Listener["run"]): () => void {
    const listeners = listIn(this.#listeners, id);
    const listener: Listener = { id: undefined, filter: undefined, order: -Number.MAX_VALUE, run };
    listeners.push(listener);
    this.#relink(id);
    return () => {
      listeners.splice(listeners.indexOf(listener), 1);
      this.#relink(id);
    };
  }

  /** Listens to every event but those tagged `excludeFromGlobalHooks`. @throws {lockedError} the manager is locked */
  addGlobalListener(handler: EventHandlerType, options?: IEventHandlerOptions): void {
    this.#assertUnlocked();
    this.#globalListeners.push(toListener(handler, options));
    this.#mayEmitAnything = true;
    this.#relinkAll();
  }

  hasListeners<P>(event: IEvent<P>): boolean {
    return listenersInOrder(event, this.#globalListeners, this.#listeners.get(event.id)).length > 0;
  }

  /** Wraps every emission; first added is outermost. @throws {lockedError} the manager is locked */
  intercept(interceptor: EventEmissionInterceptor): void {
    this.#assertUnlocked();
    // Two arguments are the contract: the scope is the framework's own.
    const located: ScopedInterceptor = async (next, emission) => {
      try {
        await interceptor(next, emission);
      } catch (error) {
        throw locateListenerFailure(error, { kind: "interceptor", eventId: emission.id });
      }
    };
    this.#interceptors.push({ interceptor: located, eventIds: undefined });
    this.#mayEmitAnything = true;
    this.#relinkAll();
  }

  /** @internal Wraps emissions of these events alone, by something that emits nothing in this process. */
  interceptEvents(eventIds: ReadonlySet<string>, interceptor: ScopedInterceptor): void {
    this.#assertUnlocked();
    this.#interceptors.push({ interceptor, eventIds });
    this.#relinkAll();
  }

  /** Wraps every execution of a hook; first added is outermost. @throws {lockedError} the manager is locked */
  interceptHook(interceptor: HookExecutionInterceptor): void {
    this.#assertUnlocked();
    this.#hookInterceptors.push(interceptor);
    this.#mayEmitAnything = true;
    this.#relinkAll();
  }

  /** Runs a hook inside the hook interceptors; gives what the hook returns, which may be `any` value. */
  executeHookWithInterceptors(hook: IHook, emission: IEventEmission, dependencies: unknown): Promise<any> {
    return this.#runIntercepted(0, hook, emission, (inner, passed) => inner.run(passed, dependencies));
  }

  /** Forgets all listeners and interceptors, locked or not. */
  dispose(): void {
    this.#listeners.clear();
    this.#globalListeners.length = 0;
    this.#interceptors.length = 0;
    this.#hookInterceptors.length = 0;
    this.#attached.length = 0;
    this.#guarded.clear();
    this.#mayEmitAnything = false;
    this.#relinkAll();
  }

  /** @internal The run was disposed of: from now on only what is under way may emit. */
  close(): void {
    this.#isClosed = true;
    this.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal The event's place in this manager; emitters hold on to it. */
  cell(event: IEvent<any>): EventCell {
    const known = this.#cells.get(event.id);
    if (known) return known;
    const cell: EventCell = { event, linked: this.#link(event) };
    this.#cells.set(event.id, cell);
    return cell;
  }

  /** @internal Attaches hooks that the boot has analysed; `reentrant` are the events that they bring round. */
  attachHooks(hooks: readonly AttachedHook[], reentrant: ReadonlySet<string>): void {
    for (const id of reentrant) this.#guarded.add(id);
    for (const { hook, eventIds, listen, bake } of hooks) {
      const listener: Mutable<Listener> = {
        id: hook.id,
        isHook: true,
        order: hook.order,
        filter: undefined,
        run: (emission, scope) =>
          this.#hookInterceptors.length === 0
            ? listen(hook, emission, scope)
            : this.#runIntercepted(0, hook, emission, (inner, passed) => listen(inner, passed, scope)),
      };
      this.#attached.push({ listener, bake });
      if (eventIds === "*") this.#globalListeners.push(listener);
      else for (const id of eventIds) listIn(this.#listeners, id).push(listener);
    }
    this.#relinkAll();
  }

  async #runIntercepted(
    index: number,
    hook: IHook,
    emission: IEventEmission,
    runHook: (hook: IHook, emission: IEventEmission) => unknown,
  ): Promise<unknown> {
    const interceptor = this.#hookInterceptors[index];
    if (interceptor === undefined) return runHook(hook, emission);
    return interceptor(
      (passedHook, passed) => this.#runIntercepted(index + 1, passedHook, passed, runHook),
      hook,
      emission,
    );
  }

  #assertUnlocked(): void {
    if (this.#locked) throw lockedError.create({ what: "EventManager" });
  }

  #link(event: IEvent): LinkedEvent {
    if (this.#isClosed) return linkClosed(event, this.#state);
    const interceptors = this.#interceptors.filter(({ eventIds }) => eventIds === undefined || eventIds.has(event.id));
    const needsGuard = this.#detectsCycles && (this.#mayEmitAnything || this.#guarded.has(event.id));
    const linked = linkEvent({
      event,
      listeners: listenersInOrder(event, this.#globalListeners, this.#listeners.get(event.id)),
      interceptors: interceptors.map(({ interceptor }) => interceptor),
      guard: needsGuard ? (this.#guard ??= createEmissionGuard(guardScope())) : undefined,
      state: this.#state,
    });
    return this.#tracing === undefined ? linked : this.#tracing.event(event.id, linked);
  }

  #relink(id: string): void {
    const cell = this.#cells.get(id);
    if (cell) cell.linked = this.#link(cell.event);
  }

  #relinkAll(): void {
    for (const cell of this.#cells.values()) cell.linked = this.#link(cell.event);
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** An interceptor, of all events or of some. */
interface InterceptorEntry {
  readonly interceptor: ScopedInterceptor;
  readonly eventIds: ReadonlySet<string> | undefined;
}

const guardScope = (): TrackedScope<GuardFrame> => createTrackedScope<GuardFrame>();
