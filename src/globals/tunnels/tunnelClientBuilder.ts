import type { EventIdOf, EventNames, TaskName, TaskNames } from "../../define/remote";
import type { RemoteTask } from "../../define/taskBuilder";
import type { DependencyMap, InjectedInResource, Unbuilt } from "../../lib/injectable";
import type { MaybePromise } from "../../lib/typeLevel";
import type {
  ContractLockFile,
  EventDeliveryMode,
  TunnelClient,
  TunnelEventSelector,
  TunnelTaskSelector,
  TunnelVerification,
  VerifyMode,
} from "../../tunnels/routing/tags";
import type { HttpTunnelTarget, MemoryTarget, TunnelResource } from "./tunnelParts";

/** How the events of a client tunnel are delivered. */
export interface TunnelEventOptions {
  /** Default "mirror". */
  readonly eventDeliveryMode?: EventDeliveryMode | undefined;
}

/** Whom a memory tunnel calls: a run, or what gives one once the tunnel initialises. */
export type MemoryTargetSource = MemoryTarget | (() => MaybePromise<MemoryTarget>);

/**
 * Routes tasks and events to another process; every method returns a new builder.
 *
 * `C` is the config, `D` what `connect` receives, `State` what `build` still waits for.
 */
export interface TunnelClientBuilder<C, D extends object, State extends ClientState> extends Unbuilt {
  readonly id: string;
  /** Tasks to run elsewhere, by definition, id or predicate. Replaces the list. */
  tasks(selector: TunnelTaskSelector): TunnelClientBuilder<C, D, Selecting<State>>;
  /** Events to deliver elsewhere, by definition, id or predicate. Replaces the list. */
  events(selector: TunnelEventSelector, options?: TunnelEventOptions): TunnelClientBuilder<C, D, Selecting<State>>;
  /** Events of the other process that reach hooks of this one as well, by definition, id or predicate. Replaces the list. */
  hears(selector: TunnelEventSelector): TunnelClientBuilder<C, D, Selecting<State>>;
  /**
   * Asks the server when the tunnel initialises whether it has all that is routed and heard, and whether that is still what a
   * lock says. "warn" logs what differs, and that a server does not say; with "throw" the boot fails. Default "off".
   *
   * @see readmes/TYPED_CONTRACTS.md
   */
  verify(
    mode: VerifyMode,
    lock?: ContractLockFile,
    options?: Pick<TunnelVerification, "timeoutMs">,
  ): TunnelClientBuilder<C, D, State>;
  /** What `connect` needs; later keys win. */
  dependencies<N extends DependencyMap>(
    dependencies: N,
  ): TunnelClientBuilder<C, D & { [K in keyof N]: InjectedInResource<N[K]> }, State>;
  /**
   * Calls over HTTP: with a pool of connections, files and streams where the application is run by `./node`, by fetch
   * elsewhere. Serializer, async contexts and errors are the run's.
   */
  http(config: HttpTunnelTarget): TunnelClientBuilder<void, D, Connecting<State>>;
  http<A>(configure: (config: A) => HttpTunnelTarget): TunnelClientBuilder<A, D, Connecting<State>>;
  /**
   * Calls by a client of any kind; the tunnel closes it. A function with `dependencies`, as `natsClient(...)` of
   * `@bluelibs/runner/nats` is, brings what it needs of the run.
   */
  connect<A = C>(
    connect: (config: A, dependencies: D) => MaybePromise<TunnelClient>,
  ): TunnelClientBuilder<A, D, Connecting<State>>;
  /**
   * Calls another run of this process, for tests: all is written and read as over a network, without a socket. Server
   * tunnels of that run say what may be called.
   */
  memory(target: MemoryTargetSource): TunnelClientBuilder<void, D, Connecting<State>>;
  build: State extends "complete" ? () => TunnelResource<C> : (this: Missing[State]) => TunnelResource<C>;
}

/**
 * Routes what a server's module exports, by its type `M`: `r.tunnel.client<typeof Billing>(id)`. It registers the tasks and
 * events that it names, and the built tunnel has them as `tasks` and `events`. Every method returns a new builder.
 *
 * `T` and `E` are the names of tasks and events, the others as of `TunnelClientBuilder`.
 */
export interface TypedTunnelClientBuilder<
  M,
  T extends keyof TaskNames<M>,
  E extends keyof EventNames<M>,
  C,
  D extends object,
  State extends ClientState,
> extends Unbuilt {
  readonly id: string;
  /**
   * Names of exported tasks to their ids, `{ id, streams: true }` for those that stream items; all of it is checked and
   * completed. Replaces the list.
   */
  tasks<K extends keyof TaskNames<M>>(
    names: Partial<TaskNames<M>> & { readonly [P in K]: TaskName<M[P]> },
  ): TypedTunnelClientBuilder<M, K, E, C, D, Selecting<State>>;
  /** Names of exported events to their ids. Replaces the list. */
  events<K extends keyof EventNames<M>>(
    names: Partial<EventNames<M>> & { readonly [P in K]: EventIdOf<M[P]> },
    options?: TunnelEventOptions,
  ): TypedTunnelClientBuilder<M, T, K, C, D, Selecting<State>>;
  /**
   * Names of exported events that reach hooks of this process as well, to their ids. The built tunnel has them among its
   * `events`. Replaces the list.
   */
  hears<K extends keyof EventNames<M>>(
    names: Pick<EventNames<M>, K>,
  ): TypedTunnelClientBuilder<M, T, E | K, C, D, Selecting<State>>;
  /** As of `TunnelClientBuilder`. */
  verify(
    mode: VerifyMode,
    lock?: ContractLockFile,
    options?: Pick<TunnelVerification, "timeoutMs">,
  ): TypedTunnelClientBuilder<M, T, E, C, D, State>;
  /** What `connect` needs; later keys win. */
  dependencies<N extends DependencyMap>(
    dependencies: N,
  ): TypedTunnelClientBuilder<M, T, E, C, D & { [K in keyof N]: InjectedInResource<N[K]> }, State>;
  /** As of `TunnelClientBuilder`. */
  http(config: HttpTunnelTarget): TypedTunnelClientBuilder<M, T, E, void, D, Connecting<State>>;
  http<A>(configure: (config: A) => HttpTunnelTarget): TypedTunnelClientBuilder<M, T, E, A, D, Connecting<State>>;
  /** Calls by a client of any kind; the tunnel closes it. */
  connect<A = C>(
    connect: (config: A, dependencies: D) => MaybePromise<TunnelClient>,
  ): TypedTunnelClientBuilder<M, T, E, A, D, Connecting<State>>;
  /** Calls another run of this process, for tests. */
  memory(target: MemoryTargetSource): TypedTunnelClientBuilder<M, T, E, void, D, Connecting<State>>;
  build: State extends "complete"
    ? () => TypedTunnelResource<M, T, E, C>
    : (this: Missing[State]) => TypedTunnelResource<M, T, E, C>;
}

/** A client tunnel with the tasks and events it routes, to depend on: `.dependencies({ charge: billing.tasks.charge })`. */
export type TypedTunnelResource<
  M,
  T extends keyof TaskNames<M>,
  E extends keyof EventNames<M>,
  C = void,
> = TunnelResource<C> & {
  // Over the keys of a `Pick`, so that an editor leads from a name to the export.
  readonly tasks: { readonly [K in keyof Pick<M, T>]: RemoteTask<M[K]> };
  readonly events: Readonly<Pick<M, E>>;
};

/** What `r.tunnel.client` is: without a type argument it selects definitions that exist, with one it makes them. */
export interface TunnelClientStarter {
  (id: string): TunnelClientBuilder<void, {}, "nothing">;
  <M>(id: string): TypedTunnelClientBuilder<M, never, never, void, {}, "nothing">;
}

/** What a client tunnel has been told. */
type ClientState = "nothing" | "selection" | "connection" | "complete";
type Selecting<State extends ClientState> = State extends "connection" | "complete" ? "complete" : "selection";
type Connecting<State extends ClientState> = State extends "selection" | "complete" ? "complete" : "connection";

/** Read in the type errors of a call that comes too early. */
interface Missing {
  nothing: "say what is routed and where to: .tasks([...]).http(...), .connect(...) or .memory(...)";
  selection: "say where to first: .http(...), .connect(...) or .memory(...)";
  connection: "say what is routed first: .tasks([...]) or .events([...])";
  complete: never;
}
