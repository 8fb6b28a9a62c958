import type { IEvent } from "../../define/event";
import type { ITask } from "../../define/task";
import { exposureNotEnabled, notExposed, notRegistered } from "../../errors/wireErrors";
import type { Store } from "../../runtime/run/store";
import type { TaskCell } from "../../runtime/link/taskCell";
import type { WireTarget } from "../protocol/wire";
import { inBoth, selectedContexts, type SelectedContexts } from "../routing/contextSelection";
import { pick, type Selector } from "../routing/selectors";
import type { TunnelRunner } from "../routing/tags";
import { isServerTunnel, isTunnelResource } from "../routing/tunnelResource";

/** A task that may be called from outside. */
export interface ServedTask {
  readonly kind: "task";
  /** Read `invoke` at each call: before the run is ready it may be relinked. */
  readonly cell: TaskCell;
  /** Those that callers may set. */
  readonly contexts: SelectedContexts;
}

/** An event that may be emitted from outside. */
export interface ServedEvent {
  readonly kind: "event";
  readonly event: IEvent;
  /** Those that callers may set. */
  readonly contexts: SelectedContexts;
}

/** What may be reached, in the order the tunnels name it. */
export interface AllowList {
  /** Whether a server tunnel says anything at all. */
  readonly enabled: boolean;
  /** Without a server tunnel: whether everything registered may be reached. */
  readonly open: boolean;
  readonly tasks: ReadonlyMap<string, ServedTask>;
  readonly events: ReadonlyMap<string, ServedEvent>;
  /** What may be listened to, which is a right of its own: never given by `open`. */
  readonly subscribable: ReadonlyMap<string, ServedEvent>;
}

/** The allow-list of a run while it boots, and from `freeze` on for good. */
export interface AllowListSource {
  /** Before `freeze`: what the tunnels initialised so far say. */
  current(): AllowList;
  freeze(): AllowList;
}

export interface AllowListOptions {
  /** What the server speaks: tunnels that name another transport do not count. `undefined`: every transport. */
  readonly transport: string | undefined;
  /** Without a server tunnel everything registered may be reached. */
  readonly open: boolean;
  /** A predicate threw, so the item was left out. */
  readonly onSkipped: (id: string, error: unknown) => void;
}

export function createAllowListSource(store: Store, options: AllowListOptions): AllowListSource {
  let frozen: AllowList | undefined;
  return {
    current: () => frozen ?? readAllowList(store, options),
    freeze: () => (frozen ??= readAllowList(store, options)),
  };
}

/** What an allow-list serves under a target. @throws {WireFailure} 403 or 404 */
export function admit(allowList: AllowList, { kind, id }: WireTarget): ServedTask | ServedEvent {
  const served = kind === "task" ? allowList.tasks.get(id) : allowList.events.get(id);
  if (served !== undefined) return served;
  const subject = kind === "task" ? "Task" : "Event";
  if (allowList.enabled) throw notExposed(subject, id);
  throw allowList.open ? notRegistered(subject, id) : exposureNotEnabled();
}

/** Evaluates the selectors of every server tunnel that is initialised. */
export function readAllowList(store: Store, { transport, open, onSkipped }: AllowListOptions): AllowList {
  const tunnels = [...store.resources.values()]
    .filter(({ resource, isInitialized }) => isInitialized && isTunnelResource(resource))
    .map(({ value }) => value as TunnelRunner)
    .filter((each) => isServerTunnel(each, transport));
  const enabled = tunnels.length > 0;
  const everything = open && !enabled ? [{ selector: () => true, contexts: "all" as const }] : [];
  const chosenBy = <D extends Definition>(selections: readonly Selection<D>[], registered: ReadonlyMap<string, D>) =>
    select([...selections, ...everything], registered, onSkipped);

  const tasks = new Map<string, ServedTask>();
  const registeredTasks = new Map([...store.tasks].map(([id, { task }]) => [id, task]));
  for (const [id, contexts] of chosenBy(tunnels.map(taskSelection), registeredTasks)) {
    const cell = store.findTask(id);
    if (cell) tasks.set(id, { kind: "task", cell, contexts });
  }

  const registeredEvents = new Map([...store.events].map(([id, { event }]) => [id, event]));
  const serve = (chosen: ReadonlyMap<string, SelectedContexts>): Map<string, ServedEvent> => {
    const events = new Map<string, ServedEvent>();
    for (const [id, contexts] of chosen) {
      const event = registeredEvents.get(id);
      if (event) events.set(id, { kind: "event", event, contexts });
    }
    return events;
  };
  const events = serve(chosenBy(tunnels.map(eventSelection), registeredEvents));
  const subscribable = serve(select(tunnels.map(subscriptionSelection), registeredEvents, onSkipped));
  return { enabled, open: open && !enabled, tasks, events, subscribable };
}

type Definition = ITask | IEvent;

interface Selection<D extends Definition> {
  readonly selector: Selector<D>;
  readonly contexts: SelectedContexts;
}

const contextsOf = ({ allowAsyncContext, contexts }: TunnelRunner): SelectedContexts =>
  selectedContexts(allowAsyncContext === false ? "none" : contexts);
const taskSelection = (tunnel: TunnelRunner): Selection<ITask> => ({
  selector: tunnel.tasks,
  contexts: contextsOf(tunnel),
});
const eventSelection = (tunnel: TunnelRunner): Selection<IEvent> => ({
  selector: tunnel.events,
  contexts: contextsOf(tunnel),
});
const subscriptionSelection = (tunnel: TunnelRunner): Selection<IEvent> => ({
  selector: tunnel.subscribable,
  contexts: contextsOf(tunnel),
});

/** Registered ids that are selected, each with the contexts callers may set: one tunnel that says no is enough. */
function select<D extends Definition>(
  selections: readonly Selection<D>[],
  registered: ReadonlyMap<string, D>,
  onSkipped: AllowListOptions["onSkipped"],
): Map<string, SelectedContexts> {
  const selected = new Map<string, SelectedContexts>();
  for (const { selector, contexts } of selections) {
    const picked = pick(selector, registered, { onUnknown() {}, onFailed: onSkipped });
    for (const { id } of picked) selected.set(id, inBoth(contexts, selected.get(id) ?? "all"));
  }
  return selected;
}
