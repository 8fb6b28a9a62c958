import { eventEmissionCycleError } from "../errors/bootErrors";
import { findCycles } from "../lib/graph";
import { targetOf } from "./dependencyTarget";
import type { BootPlan } from "./planBoot";
import type { Problems } from "./problems";
import type { HookRegistration, Registration, Registrations } from "./registration";

/** Ids of events that may be emitted from inside their own emission. */
export type ReentrantEvents = ReadonlySet<string>;

/** Handles through which anything can be emitted; who depends on one may emit any event. */
export type EmitsAnything = (id: string) => boolean;

/** Reports `eventEmissionCycleError` for hooks and events that are bound to emit each other. */
export function checkEmissions(registrations: Registrations, problems: Problems): void {
  const emits = new Map<string, string[]>();
  for (const hook of hooksOf(registrations)) {
    if (hook.definition.on === "*") continue;
    const emitted = eventIds(hook, registrations);
    for (const id of listenedIds(hook, registrations)) {
      const others = emitted.filter((each) => each !== id);
      emits.set(id, [...(emits.get(id) ?? []), ...others]);
    }
  }
  if (emits.size === 0) return;
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
  const hooks = hooksOf(registrations);
  if (hooks.length === 0) return none;

  const allEvents = [...registrations.values()].filter(({ kind }) => kind === "event").map(({ id }) => id);
  const emits = new Map<string, Set<string>>();
  for (const hook of hooks) {
    const reachable = reachableEvents(hook.id, plan, emitsAnything) ?? allEvents;
    for (const id of hook.definition.on === "*" ? allEvents : listenedIds(hook, registrations)) {
      const known = emits.get(id) ?? new Set();
      for (const each of reachable) known.add(each);
      emits.set(id, known);
    }
  }
  return new Set([...emits.keys()].filter((id) => returnsTo(id, emits)));
}

const none: ReentrantEvents = /* @__PURE__ */ new Set();

/** Events that a definition may emit, directly or through what it depends on; `undefined` for any. */
function reachableEvents(
  start: string,
  { registrations, edges }: BootPlan,
  emitsAnything: EmitsAnything,
): Set<string> | undefined {
  const events = new Set<string>();
  const seen = new Set([start]);
  const pending = [start];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (emitsAnything(id)) return undefined;
    const registration = registrations.get(id);
    if (registration === undefined) continue;
    for (const each of eventIds(registration, registrations)) events.add(each);
    for (const next of edges(id)) {
      if (seen.has(next)) continue;
      seen.add(next);
      pending.push(next);
    }
  }
  return events;
}

function returnsTo(start: string, emits: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const seen = new Set<string>();
  const pending = [start];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    for (const next of emits.get(id) ?? []) {
      if (next === start) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      pending.push(next);
    }
  }
  return false;
}

function hooksOf(registrations: Registrations): HookRegistration[] {
  const hooks: HookRegistration[] = [];
  for (const registration of registrations.values()) if (registration.kind === "hook") hooks.push(registration);
  return hooks;
}

function listenedIds({ definition: { on } }: HookRegistration, registrations: Registrations): string[] {
  const events: readonly unknown[] = Array.isArray(on) ? (on as unknown[]) : [on];
  return events.flatMap((event) => {
    const id = targetOf(event)?.id;
    return id !== undefined && registrations.get(id)?.kind === "event" ? [id] : [];
  });
}

function eventIds({ dependencies }: Registration, registrations: Registrations): string[] {
  return Object.values(dependencies).flatMap((dependency) => {
    const id = targetOf(dependency)?.id;
    return id !== undefined && registrations.get(id)?.kind === "event" ? [id] : [];
  });
}
