import type { ContextSelection } from "../../tunnels/routing/contextSelection";
import { assertId } from "../../define/brand";
import { remoteEvent, type IEvent } from "../../define/event";
import type { EventIdOf, EventNames, TaskName, TaskNames } from "../../define/remote";
import { resourceBuilderOf } from "../../define/createResource";
import type { IResource } from "../../define/resource";
import type { ResourceDraft } from "../../define/resourceBuilder";
import { remoteTask } from "../../define/createTask";
import type { ITask } from "../../define/task";
import type { RemoteTask, RemoteTaskOptions } from "../../define/taskBuilder";
import { builderIncompleteError } from "../../errors/bootErrors";
import { captureFilePath } from "../../lib/filePath";
import type { DependencyMap, InjectedInResource, Unbuilt } from "../../lib/injectable";
import type { MaybePromise } from "../../lib/typeLevel";
import type { Store } from "../../runtime/run/store";
import { idempotentTag, type IdempotentMark } from "../../tunnels/routing/idempotency";
import { tunnelTagOf, type TunnelPlan } from "../../tunnels/routing/tunnelPlan";
import type {
  ContractLockFile,
  EventDeliveryMode,
  TunnelClient,
  TunnelEventSelector,
  TunnelRunner,
  TunnelTaskSelector,
  TunnelVerification,
  VerifyMode,
} from "../../tunnels/routing/tags";
import { store } from "../resources/handles";
import {
  memoryServerId,
  tunnelClientFactoryId,
  type HttpTunnelTarget,
  type MemoryServer,
  type MemoryTarget,
  type TunnelClientFactory,
} from "./tunnelParts";

/** A resource whose value is a tunnel. */
export type TunnelResource<C = void> = IResource<C, Promise<TunnelRunner>>;

/** Says what other processes may call; every method returns a new builder. */
export interface TunnelServerBuilder<Opens extends boolean = false> extends Unbuilt {
  readonly id: string;
  /** Tasks, by definition, id or predicate. Replaces the list. */
  tasks(selector: TunnelTaskSelector): TunnelServerBuilder<true>;
  /** Events, by definition, id or predicate. Replaces the list. */
  events(selector: TunnelEventSelector): TunnelServerBuilder<true>;
  /** Events that may be listened to, which does not open them to be emitted. Replaces the list. */
  subscribable(selector: TunnelEventSelector): TunnelServerBuilder<true>;
  /** What the servers that open them speak, as "http". Default: all. */
  transport(name: "http" | (string & {})): TunnelServerBuilder<Opens>;
  /** Whether callers may set async contexts. Default true. */
  allowAsyncContext(allow: boolean): TunnelServerBuilder<Opens>;
  /** Which async contexts callers may set. Default "all". */
  contexts(selection: ContextSelection): TunnelServerBuilder<Opens>;
  build: Opens extends true
    ? () => TunnelResource
    : "say what is opened first: .tasks([...]), .events([...]) or .subscribable([...])";
}

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
  build: State extends "complete" ? () => TunnelResource<C> : Missing[State];
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
  build: State extends "complete" ? () => TypedTunnelResource<M, T, E, C> : Missing[State];
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

/** Read in type errors. */
interface Missing {
  nothing: "say what is routed and where to: .tasks([...]).http(...), .connect(...) or .memory(...)";
  selection: "say where to first: .http(...), .connect(...) or .memory(...)";
  connection: "say what is routed first: .tasks([...]) or .events([...])";
  complete: never;
}

/** Starts a tunnel that opens tasks and events to other processes. */
export function tunnelServerBuilder(id: string): TunnelServerBuilder {
  assertId("resource", id);
  const filePath = captureFilePath(tunnelServerBuilder);
  const at = (value: Omit<TunnelRunner, "mode">): unknown =>
    Object.freeze({
      id,
      tasks: (tasks: TunnelTaskSelector) => at({ ...value, tasks }),
      events: (events: TunnelEventSelector) => at({ ...value, events }),
      subscribable: (subscribable: TunnelEventSelector) => at({ ...value, subscribable }),
      transport: (transport: string) => at({ ...value, transport }),
      allowAsyncContext: (allowAsyncContext: boolean) => at({ ...value, allowAsyncContext }),
      contexts: (contexts: ContextSelection) => at({ ...value, contexts }),
      build() {
        if (!value.tasks && !value.events && !value.subscribable) throw incomplete(id, ["tasks"]);
        const tunnel: TunnelRunner & TunnelPlan = { ...value, mode: "server" };
        const draft: ResourceDraft = { id, tags: [tunnelTagOf(tunnel)], init: async () => tunnel };
        return resourceBuilderOf(draft, filePath).build();
      },
    });
  return at({}) as TunnelServerBuilder; // the types exist only for the checker
}

/** Names to ids, as a typed client tunnel is told them. */
type Names = Readonly<Record<string, string | TaskByName>>;
interface TaskByName {
  readonly id: string;
  readonly streams?: true;
  readonly idempotent?: IdempotentMark;
}

/** Names of events to their ids. */
type EventIds = Readonly<Record<string, string>>;

/** Whether a selection is names, and not definitions that exist. */
const isNames = (selection: object): selection is Names => !Array.isArray(selection) && typeof selection === "object";

/** The definitions of what a typed client tunnel names. */
function define<D>(names: Names, make: (id: string, options?: RemoteTaskOptions) => D): Readonly<Record<string, D>> {
  const definitionOf = (named: string | TaskByName): D => {
    if (typeof named !== "object") return make(named);
    const { id, idempotent, ...options } = named;
    return make(id, idempotent ? { ...options, tags: [idempotentTag(idempotent)] } : options);
  };
  return Object.freeze(Object.fromEntries(Object.entries(names).map(([name, named]) => [name, definitionOf(named)])));
}

/** What makes the client, and may say what it needs of the run beside what the tunnel names. */
interface Connect {
  (config: never, dependencies: never): MaybePromise<TunnelClient>;
  readonly dependencies?: DependencyMap;
}

/** What a client tunnel is made from. */
interface ClientDraft {
  readonly plan: TunnelPlan;
  /** Definitions that the tunnel makes, registers and shows. */
  readonly tasks?: Readonly<Record<string, ITask>> | undefined;
  readonly events?: Readonly<Record<string, IEvent>> | undefined;
  /** Events that it subscribes to, among which may be some of those. */
  readonly heard?: EventIds | undefined;
  readonly dependencies: DependencyMap;
  readonly connect?: Connect | undefined;
}

/** The dependency that `.http` adds. */
const storeKey = "runner.store";

/** Starts a tunnel that routes tasks and events to another process. */
export const tunnelClientBuilder = startTunnelClient as TunnelClientStarter;

function startTunnelClient(id: string): unknown {
  assertId("resource", id);
  const filePath = captureFilePath(startTunnelClient);
  const at = (draft: ClientDraft): unknown => {
    const { plan, dependencies } = draft;
    return Object.freeze({
      id,
      tasks(selection: TunnelTaskSelector | Names) {
        const tasks = isNames(selection) ? define(selection, remoteTask) : undefined;
        return at({
          ...draft,
          tasks,
          plan: { ...plan, tasks: tasks ? Object.values(tasks) : (selection as TunnelTaskSelector) },
        });
      },
      events(selection: TunnelEventSelector | Names, { eventDeliveryMode }: TunnelEventOptions = {}) {
        const events = isNames(selection) ? define(selection, (eventId) => remoteEvent(eventId)) : undefined;
        const selected = events ? Object.values(events) : (selection as TunnelEventSelector);
        return at({ ...draft, events, plan: { ...plan, events: selected, eventDeliveryMode } });
      },
      hears(selection: TunnelEventSelector | EventIds) {
        const heard = isNames(selection) ? selection : undefined;
        const hears = heard ? Object.values(heard) : (selection as TunnelEventSelector);
        return at({ ...draft, heard, plan: { ...plan, hears } });
      },
      verify: (mode: VerifyMode, lock?: ContractLockFile, options?: Pick<TunnelVerification, "timeoutMs">) =>
        at({ ...draft, plan: { ...plan, verify: { mode, lock, ...options } } }),
      dependencies: (added: DependencyMap) => at({ ...draft, dependencies: { ...dependencies, ...added } }),
      http: (config: HttpTunnelTarget | ((config: unknown) => HttpTunnelTarget)) =>
        at({
          ...draft,
          dependencies: { ...dependencies, [storeKey]: store },
          connect: (given: unknown, deps: Record<typeof storeKey, Store>) =>
            partOf<TunnelClientFactory>(
              deps[storeKey],
              tunnelClientFactoryId,
              "register globals.resources.tunnelClientFactory, or say .connect((config) => createHttpClient({ ... }))",
            )(typeof config === "function" ? config(given) : config),
        }),
      connect: (how: Connect) => at({ ...draft, connect: how, dependencies: { ...dependencies, ...how.dependencies } }),
      memory: (target: MemoryTargetSource) =>
        at({
          ...draft,
          connect: async () => {
            const { store: called } = typeof target === "function" ? await target() : target;
            return partOf<MemoryServer>(
              called,
              memoryServerId,
              "register globals.resources.memoryServer in the application that is called",
            ).connect();
          },
        }),
      build: () => buildClient(id, draft, filePath),
    });
  };
  return at({ plan: { mode: "client" }, dependencies: {} });
}

function buildClient(
  id: string,
  { plan, tasks, heard, dependencies, connect, ...draftOf }: ClientDraft,
  filePath: () => string,
) {
  const events = heard ? { ...define(heard, (eventId) => remoteEvent(eventId)), ...draftOf.events } : draftOf.events;
  const missing = [
    ...(!plan.tasks && !plan.events && !plan.hears ? ["tasks"] : []),
    ...(connect === undefined ? ["http"] : []),
  ];
  if (connect === undefined || missing.length > 0) throw incomplete(id, missing);
  const draft: ResourceDraft = {
    id,
    register: [...Object.values(tasks ?? {}), ...Object.values(events ?? {})],
    tags: [tunnelTagOf(plan)],
    dependencies,
    // Typed by the builder.
    init: async (config, deps): Promise<TunnelRunner> => ({
      ...plan,
      client: await connect(config as never, deps as never),
    }),
    dispose: async ({ client }: TunnelRunner) => (client as Partial<Closable> | undefined)?.close?.(),
  };
  const tunnel = resourceBuilderOf(draft, filePath).build();
  return tasks === undefined && events === undefined ? tunnel : withDefinitions(tunnel, { tasks, events });
}

/** The tunnel with what it routes, to depend on. */
const withDefinitions = (tunnel: object, { tasks = {}, events = {} }: Pick<ClientDraft, "tasks" | "events">): object =>
  Object.freeze(Object.defineProperties({ tasks, events }, Object.getOwnPropertyDescriptors(tunnel)));

/** @throws {Error} the application is a bundle without it */
function partOf<T>({ resources }: Pick<Store, "resources">, id: string, instead: string): T {
  const part = resources.get(id)?.value as T | undefined;
  if (part !== undefined) return part;
  throw new Error(
    `This run has no "${id}": bundlers leave out what the application does not refer to.\n  fix: ${instead}`,
  );
}

interface Closable {
  close(): Promise<void>;
}

const incomplete = (builderId: string, missingFields: readonly string[]): Error =>
  builderIncompleteError.create({ type: "tunnel", builderId, missingFields: [...missingFields] });
