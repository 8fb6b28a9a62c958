import { assertId } from "../../define/brand";
import { resourceBuilderOf } from "../../define/createResource";
import { remoteTask } from "../../define/createTask";
import { isEvent, remoteEvent, type IEvent } from "../../define/event";
import type { ResourceDraft } from "../../define/resourceBuilder";
import { isTask, type ITask } from "../../define/task";
import type { RemoteTaskOptions } from "../../define/taskBuilder";
import { captureFilePath, type FilePath } from "../../lib/filePath";
import { isPlainObject } from "../../lib/guards";
import type { DependencyMap } from "../../lib/injectable";
import type { MaybePromise } from "../../lib/typeLevel";
import type { Store } from "../../runtime/run/store";
import { idempotentTag, type IdempotentMark } from "../../tunnels/routing/idempotency";
import type {
  ContractLockFile,
  TunnelClient,
  TunnelEventSelector,
  TunnelRunner,
  TunnelTaskSelector,
  TunnelVerification,
  VerifyMode,
} from "../../tunnels/routing/tags";
import { tunnelTagOf, type TunnelPlan } from "../../tunnels/routing/tunnelPlan";
import { store } from "../resources/handles";
import type { MemoryTargetSource, TunnelClientStarter, TunnelEventOptions } from "./tunnelClientBuilder";
import {
  incompleteTunnel,
  memoryServerId,
  tunnelClientFactoryId,
  type HttpTunnelTarget,
  type MemoryServer,
  type TunnelClientFactory,
} from "./tunnelParts";

/** Names to ids, as a typed client tunnel is told them. */
type Names = Readonly<Record<string, string | TaskByName>>;
interface TaskByName {
  readonly id: string;
  readonly streams?: true;
  readonly idempotent?: IdempotentMark;
}

/** Names of events to their ids. */
type EventIds = Readonly<Record<string, string>>;

/** Whether a selection is names, and not definitions that exist; what is neither is a problem of the boot. */
const isNames = (selection: unknown): selection is Names =>
  isPlainObject(selection) && !isTask(selection) && !isEvent(selection);

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
  filePath: FilePath,
) {
  const events = heard ? { ...define(heard, (eventId) => remoteEvent(eventId)), ...draftOf.events } : draftOf.events;
  const missing = [
    ...(!plan.tasks && !plan.events && !plan.hears ? ["tasks"] : []),
    ...(connect === undefined ? ["http"] : []),
  ];
  if (connect === undefined || missing.length > 0) throw incompleteTunnel(id, missing);
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
