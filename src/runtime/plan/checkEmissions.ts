import { noItems } from "../../lib/nothing";
import { eventEmissionCycleError } from "../../errors/bootErrors";
import { findCycles, findNodesOnLoops, listIn, type EdgesOf } from "../../lib/graph";
import { hasNoKeys } from "../../lib/guards";
import type { BootPlan } from "./planBoot";
import type { Problems } from "./problems";
import {
  registrationsOf,
  type HookRegistration,
  type Registration,
  type Registrations,
  targetOf,
} from "./registration";

/** Ids of events that may be emitted from inside their own emission. */
export type ReentrantEvents = ReadonlySet<string>;

/** Handles through which anything can be emitted; who depends on one may emit any event. */
export type EmitsAnything = (id: string) => boolean;

/** Reports `eventEmissionCycleError` for hooks and events that are bound to emit each other. */
export function checkEmissions(registrations: Registrations, problems: Problems): void {
  const emits = new Map<string, string[]>();
  for (const hook of registrationsOf(registrations, "hook")) {
    if (hook.definition.on === "*") continue;
    const emitted = eventIds(hook, registrations);
    if (emitted.length === 0) continue;
    for (const id of listenedIds(hook, registrations)) {
      const known = listIn(emits, id);
      for (const each of emitted) if (each !== id) known.push(each);
    }
  }
  const cycles = findCycles(emits.keys(), (id) => emits.get(id) ?? []);
  if (cycles.length === 0) return;
  problems.add(eventEmissionCycleError.create({ cycles: cycles.map((cycle) => cycle.join(" -> ")) }));
}

/**
 * Which events can come round to themselves, through whatever their hooks reach: their dependencies, the tasks among
 * them, those tasks' middleware and resources, and so on. Only these pay for the check at run time.
 */
export function findReentrantEvents(plan: BootPlan, emitsAnything: EmitsAnything): ReentrantEvents {
  const { registrations } = plan;
  const hooks = registrationsOf(registrations, "hook");
  if (hooks.length === 0) return none;

  const events = registrationsOf(registrations, "event").map(({ id }) => id);
  const onLoops = findNodesOnLoops(events, createEmissionEdges(plan, hooks, events, emitsAnything));
  return new Set(events.filter((id) => onLoops.has(id)));
}

const none: ReentrantEvents = /* @__PURE__ */ new Set();

/** A definition, or one of the two spots that stand for all events, so that there is no edge for each of them. */
type EmissionNode = string | typeof anyEvent | typeof everyEvent;
const anyEvent = /* @__PURE__ */ Symbol("emits any event");
const everyEvent = /* @__PURE__ */ Symbol("hears every event");

/** From an event to the hooks that receive it, from a definition to what it depends on and to the events it may emit. */
function createEmissionEdges(
  { registrations, edges }: BootPlan,
  hooks: readonly HookRegistration[],
  events: readonly string[],
  emitsAnything: EmitsAnything,
): EdgesOf<EmissionNode> {
  const hearers = new Map<EmissionNode, string[]>();
  for (const hook of hooks) {
    if (hasNoKeys(hook.dependencies)) continue; // it can emit nothing
    const heard = hook.definition.on === "*" ? [everyEvent] : listenedIds(hook, registrations);
    for (const id of heard) listIn(hearers, id).push(hook.id);
  }
  const hearersOf = (node: EmissionNode): readonly EmissionNode[] => hearers.get(node) ?? noItems;
  return (node) => {
    if (node === anyEvent) return events;
    if (node === everyEvent) return hearersOf(everyEvent);
    if (emitsAnything(node)) return [anyEvent];
    const registration = registrations.get(node);
    if (registration === undefined) return noItems;
    if (registration.kind === "event") return [...hearersOf(node), everyEvent];
    return [...edges(node), ...eventIds(registration, registrations)];
  };
}

const listenedIds = ({ definition: { on } }: HookRegistration, registrations: Registrations): readonly string[] =>
  eventIdsAmong(Array.isArray(on) ? on : [on], registrations);

const eventIds = ({ dependencies }: Registration, registrations: Registrations): readonly string[] =>
  eventIdsAmong(Object.values(dependencies), registrations);

function eventIdsAmong(targets: readonly unknown[], registrations: Registrations): readonly string[] {
  let ids: string[] | undefined;
  for (const target of targets) {
    const id = targetOf(target)?.id ?? "";
    if (registrations.get(id)?.kind === "event") (ids ??= []).push(id);
  }
  return ids ?? noItems;
}
