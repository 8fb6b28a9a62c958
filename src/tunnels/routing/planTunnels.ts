import { invalidTunnelError, tunnelOwnershipConflictError } from "../../errors/bootErrors";
import type { IEvent } from "../../define/event";
import { isPhantomTask, type ITask } from "../../define/task";
import type { Problems } from "../../runtime/plan/problems";
import type { Registrations } from "../../runtime/plan/registration";
import type { Store } from "../../runtime/run/store";
import type { SubscribableEntry, Topology } from "../../runtime/run/topology";
import { pick, type Selector } from "./selectors";
import type { TunnelRunner } from "./tags";
import { checkSelector, isTunnelResource } from "./tunnelResource";
import { tunnelPlanOf } from "./tunnelPlan";

/** A tunnel, and what is known of it. */
interface KnownTunnel {
  readonly id: string;
  /** Absent where only its value says it, and that is not there yet. */
  readonly says:
    Pick<TunnelRunner, "mode" | "tasks" | "events" | "eventDeliveryMode" | "subscribable" | "hears"> | undefined;
}

type OnProblem = (problem: Error) => void;

/**
 * Where tasks and events run, as far as definitions say so, before anything initialises.
 *
 * @param problems receives ids that are not registered, and tasks that two tunnels route
 * @throws {invalidTunnelError} a selector cannot be one
 */
export function planTunnels(registrations: Registrations, problems: Problems): Topology {
  const tunnels: KnownTunnel[] = [];
  const tasks = new Map<string, ITask>();
  const events = new Map<string, IEvent>();
  registrations.forEach(({ kind, id, definition }) => {
    if (kind === "task") tasks.set(id, definition);
    if (kind === "event") events.set(id, definition as IEvent);
    if (kind === "resource" && isTunnelResource(definition)) tunnels.push({ id, says: tunnelPlanOf(definition) });
  });
  return describeTopology(tunnels, { tasks, events }, (problem) => problems.add(problem));
}

/** Where tasks and events of a started run are; its boot has reported what is wrong. */
export function readTopology(store: Store): Topology {
  const tunnels = [...store.resources.values()]
    .filter(({ resource }) => isTunnelResource(resource))
    .map(({ resource, value }): KnownTunnel => ({ id: resource.id, says: value as TunnelRunner | undefined }));
  return describeTopology(tunnels, {
    tasks: new Map([...store.tasks].map(([id, { task }]) => [id, task])),
    events: new Map([...store.events].map(([id, { event }]) => [id, event])),
  });
}

/** Definitions that tunnels select from. */
interface Selectable {
  readonly tasks: ReadonlyMap<string, ITask>;
  readonly events: ReadonlyMap<string, IEvent>;
}

function describeTopology(
  tunnels: readonly KnownTunnel[],
  { tasks, events }: Selectable,
  onProblem: OnProblem = () => {},
): Topology {
  const exposed: Topology["exposed"][number][] = [];
  const subscribable: SubscribableEntry[] = [];
  const routed: Topology["routed"][number][] = [];
  const owners = new Map<string, string>();
  for (const { id: tunnelId, says } of tunnels) {
    if (says === undefined) continue;
    const { mode, eventDeliveryMode: delivery = "mirror" } = says;
    const chosenTasks = choose("Task", says.tasks, tasks, tunnelId, onProblem);
    const chosenEvents = choose("Event", says.events, events, tunnelId, onProblem);
    const chosenToHear = choose("Event", says.subscribable, events, tunnelId, onProblem);
    choose("Event", says.hears, events, tunnelId, onProblem);
    if (mode === "server" || mode === "both") {
      for (const id of chosenTasks) exposed.push({ id, kind: "task", by: tunnelId });
      for (const id of chosenEvents) exposed.push({ id, kind: "event", by: tunnelId });
      for (const id of chosenToHear) subscribable.push({ id, by: tunnelId });
    }
    if (mode !== "client" && mode !== "both") continue;
    for (const taskId of chosenTasks) {
      const currentOwnerId = owners.get(taskId);
      if (currentOwnerId !== undefined) {
        onProblem(tunnelOwnershipConflictError.create({ taskId, currentOwnerId, attemptedOwnerId: tunnelId }));
        continue;
      }
      owners.set(taskId, tunnelId);
      routed.push({ id: taskId, kind: "task", owner: tunnelId });
    }
    for (const id of chosenEvents) routed.push({ id, kind: "event", owner: tunnelId, delivery });
  }
  const unrouted = [...tasks.values()].filter((task) => isPhantomTask(task) && !owners.has(task.id));
  return Object.freeze({
    exposed: sorted(exposed),
    ...(subscribable.length > 0 && { subscribable: sorted(subscribable) }),
    routed: sorted(routed),
    unrouted: Object.freeze(unrouted.map(({ id }) => id).sort()),
    dynamic: Object.freeze(
      tunnels
        .filter(({ says }) => says === undefined)
        .map(({ id }) => id)
        .sort(),
    ),
  });
}

// eslint-disable-next-line @typescript-eslint/max-params -- the selector, what it selects from, and who is told of what
function choose<D extends ITask | IEvent>(
  kind: "Task" | "Event",
  selector: Selector<D>,
  registered: ReadonlyMap<string, D>,
  tunnelId: string,
  onProblem: OnProblem,
): string[] {
  checkSelector(`${kind.toLowerCase()}s of "${tunnelId}"`, selector);
  return pick(selector, registered, {
    onUnknown: (id) =>
      onProblem(invalidTunnelError.create({ detail: `${kind} "${id}" of tunnel "${tunnelId}" is not registered.` })),
    onFailed: (id, error) =>
      onProblem(
        invalidTunnelError.create({
          detail: `Tunnel "${tunnelId}" could not decide about "${id}": ${String(error)}`,
        }),
      ),
  }).map(({ id }) => id);
}

const sorted = <E extends { readonly id: string }>(entries: readonly E[]): readonly E[] =>
  Object.freeze(
    [...entries].sort((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id))).map((each) => Object.freeze(each)),
  );
