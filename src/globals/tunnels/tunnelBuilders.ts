import type { ContextSelection } from "../../tunnels/routing/contextSelection";
import { assertId } from "../../define/brand";
import { resourceBuilderOf, type IResource, type ResourceDraft } from "../../define/resource";
import { builderIncompleteError } from "../../errors/bootErrors";
import { captureFilePath } from "../../lib/filePath";
import type { DependencyMap, InjectedInResource, Unbuilt } from "../../lib/injectable";
import type { MaybePromise } from "../../lib/typeLevel";
import type { Store } from "../../runtime/run/store";
import { tunnelTagOf, type TunnelPlan } from "../../tunnels/routing/tunnelPlan";
import type {
  EventDeliveryMode,
  TunnelClient,
  TunnelEventSelector,
  TunnelRunner,
  TunnelTaskSelector,
} from "../../tunnels/routing/tags";
import { store } from "../resources/handles";
import {
  memoryServerId,
  tunnelClientFactoryId,
  type HttpTunnelConfig,
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
  /** What the servers that open them speak, as "http". Default: all. */
  transport(name: "http" | (string & {})): TunnelServerBuilder<Opens>;
  /** Whether callers may set async contexts. Default true. */
  allowAsyncContext(allow: boolean): TunnelServerBuilder<Opens>;
  /** Which async contexts callers may set. Default "all". */
  contexts(selection: ContextSelection): TunnelServerBuilder<Opens>;
  build: Opens extends true ? () => TunnelResource : "say what is opened first: .tasks([...]) or .events([...])";
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
  /** What `connect` needs; later keys win. */
  dependencies<N extends DependencyMap>(
    dependencies: N,
  ): TunnelClientBuilder<C, D & { [K in keyof N]: InjectedInResource<N[K]> }, State>;
  /**
   * Calls over HTTP: with a pool of connections, files and streams where the application is run by `./node`, by fetch
   * elsewhere. Serializer, async contexts and errors are the run's.
   */
  http(config: HttpTunnelConfig): TunnelClientBuilder<void, D, Connecting<State>>;
  http<A>(configure: (config: A) => HttpTunnelConfig): TunnelClientBuilder<A, D, Connecting<State>>;
  /** Calls by a client of any kind; the tunnel closes it. */
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
      transport: (transport: string) => at({ ...value, transport }),
      allowAsyncContext: (allowAsyncContext: boolean) => at({ ...value, allowAsyncContext }),
      contexts: (contexts: ContextSelection) => at({ ...value, contexts }),
      build() {
        if (value.tasks === undefined && value.events === undefined) throw incomplete(id, ["tasks"]);
        const tunnel: TunnelRunner & TunnelPlan = { ...value, mode: "server" };
        const draft: ResourceDraft = { id, tags: [tunnelTagOf(tunnel)], init: async () => tunnel };
        return resourceBuilderOf(draft, filePath).build();
      },
    });
  return at({}) as TunnelServerBuilder; // the types exist only for the checker
}

/** What a client tunnel is made from. */
interface ClientDraft {
  readonly plan: TunnelPlan;
  readonly dependencies: DependencyMap;
  readonly connect?: ((config: never, dependencies: never) => MaybePromise<TunnelClient>) | undefined;
}

/** The dependency that `.http` adds. */
const storeKey = "runner.store";

/** Starts a tunnel that routes tasks and events to another process. */
export function tunnelClientBuilder(id: string): TunnelClientBuilder<void, {}, "nothing"> {
  assertId("resource", id);
  const filePath = captureFilePath(tunnelClientBuilder);
  const at = (draft: ClientDraft): unknown => {
    const { plan, dependencies } = draft;
    const planned = (patch: Partial<TunnelPlan>) => at({ ...draft, plan: { ...plan, ...patch } });
    return Object.freeze({
      id,
      tasks: (tasks: TunnelTaskSelector) => planned({ tasks }),
      events: (events: TunnelEventSelector, { eventDeliveryMode }: TunnelEventOptions = {}) =>
        planned({ events, eventDeliveryMode }),
      dependencies: (added: DependencyMap) => at({ ...draft, dependencies: { ...dependencies, ...added } }),
      http: (config: HttpTunnelConfig | ((config: unknown) => HttpTunnelConfig)) =>
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
      connect: (how: ClientDraft["connect"]) => at({ ...draft, connect: how }),
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
  return at({ plan: { mode: "client" }, dependencies: {} }) as TunnelClientBuilder<void, {}, "nothing">; // as above
}

function buildClient(id: string, { plan, dependencies, connect }: ClientDraft, filePath: () => string) {
  const missing = [
    ...(plan.tasks === undefined && plan.events === undefined ? ["tasks"] : []),
    ...(connect === undefined ? ["http"] : []),
  ];
  if (connect === undefined || missing.length > 0) throw incomplete(id, missing);
  const draft: ResourceDraft = {
    id,
    tags: [tunnelTagOf(plan)],
    dependencies,
    // Typed by the builder.
    init: async (config, deps): Promise<TunnelRunner> => ({
      ...plan,
      client: await connect(config as never, deps as never),
    }),
    dispose: async ({ client }: TunnelRunner) => (client as Partial<Closable> | undefined)?.close?.(),
  };
  return resourceBuilderOf(draft, filePath).build();
}

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
