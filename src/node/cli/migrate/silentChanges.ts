import { builtins } from "../../../globals/builtins";
import { isResource, isResourceWithConfig } from "../../../define/resource";
import type { RegisterableItems } from "../../../define/resource";
import { applyOverrides, type OverrideRequest } from "../../../runtime/plan/applyOverrides";
import { collect } from "../../../runtime/plan/collect";
import { planBoot } from "../../../runtime/plan/planBoot";
import { createProblems } from "../../../runtime/plan/problems";
import {
  registrationsOf,
  targetOf,
  type HookRegistration,
  type Registrations,
  type ResourceRegistration,
} from "../../../runtime/plan/registration";
import { visitDependencyFirst } from "../../../lib/graph";
import { symbolFramework } from "../../../lib/symbols";
import { isTunnelResource } from "../../../tunnels/routing/tunnelResource";
import type { Finding } from "./finding";

/** What an application consists of, and what it does differently in this version without an error. */
export interface SilentChanges {
  readonly findings: readonly Finding[];
  /** Ids of everything that is registered. */
  readonly ids: readonly string[];
}

/** Compares the plan of an application with what 5.2 made of the same definitions. Nothing of it runs. */
export function findSilentChanges(root: RegisterableItems): SilentChanges {
  const problems = createProblems();
  const collected = collect(root, builtins(), problems);
  const { registrations, requests } = applyOverrides(collected, problems);
  const plan = planBoot(registrations, root.id, ({ definition }) => isTunnelResource(definition), problems);
  const findings = [
    ...keptConfigs(collected, requests),
    ...severalOverrides(requests),
    ...hookOrders(registrations),
    // A plan with loops has no order.
    ...(problems.errors.length === 0 ? disposeOrder(registrations, plan.order) : []),
  ];
  return { findings, ids: [...registrations.keys()] };
}

/** 5.x forgot the config of a resource that was overridden; now an override without one inherits it. */
function keptConfigs(registrations: Registrations, requests: readonly OverrideRequest[]): Finding[] {
  return requests.flatMap(({ override, source }): Finding[] => {
    const base = registrations.get(override.id);
    if (base?.kind !== "resource" || !isResource(override) || isResourceWithConfig(override)) return [];
    if (!isGiven(base.config)) return [];
    const message = `"${override.id}" is overridden by "${source}" and keeps the config it was registered with; 5.x passed none.`;
    const fix = "give the override its own config by .with(...) if it must not have that one.";
    return [{ severity: "silent", rule: "keptConfig", message, fix, ids: [override.id, source] }];
  });
}

const isGiven = (config: unknown): boolean =>
  typeof config !== "object" ? config !== undefined : config !== null && Object.keys(config).length > 0;

/** In 5.x a child could win over its parent. */
function severalOverrides(requests: readonly OverrideRequest[]): Finding[] {
  return [...groupBy(requests, ({ override }) => override.id)].flatMap(([id, group]): Finding[] => {
    const sources = [...new Set(group.map(({ source }) => source))];
    if (sources.length < 2) return [];
    const winner = sources.at(-1) ?? "";
    const message = `"${id}" is overridden by ${quoted(sources)}; the outermost resource wins, which is "${winner}". In 5.x it could be another.`;
    return [
      {
        severity: "silent",
        rule: "severalOverrides",
        message,
        fix: `keep the override of "${winner}" alone.`,
        ids: [id, ...sources],
      },
    ];
  });
}

/** Hooks of one event and one order ran last registered first in 5.x, and run first registered first now. */
function hookOrders(registrations: Registrations): Finding[] {
  const listening = registrationsOf(registrations, "hook").flatMap((hook) =>
    eventsOf(hook).map((event) => ({ event, order: hook.definition.order ?? 0, id: hook.id })),
  );
  return [...groupBy(listening, ({ event, order }) => JSON.stringify([event, order]))].flatMap(
    ([, group]): Finding[] => {
      const [first] = group;
      if (first === undefined || group.length < 2) return [];
      const ids = group.map(({ id }) => id);
      const of = first.event === "*" ? "of every event" : `of "${first.event}"`;
      const message = `Hooks ${of} with the order ${first.order} run as registered: ${quoted(ids)}. 5.x ran them in reverse.`;
      return [
        {
          severity: "silent",
          rule: "hookOrder",
          message,
          fix: "give them different orders by .order(...) if one relies on another.",
          ids,
        },
      ];
    },
  );
}

function eventsOf({ definition: { on } }: HookRegistration): string[] {
  if (on === undefined) return [];
  return on === "*" ? ["*"] : [on].flat().flatMap((event) => targetOf(event)?.id ?? []);
}

/** 5.2 disposed of resources sorted by their dependencies; now it is the reverse of how they initialised. */
function disposeOrder(registrations: Registrations, order: readonly string[]): Finding[] {
  const disposes = new Set(
    registrationsOf(registrations, "resource")
      .filter(({ definition }) => definition.dispose !== undefined && !(symbolFramework in definition))
      .map(({ id }) => id),
  );
  const now = order.filter((id) => disposes.has(id)).toReversed();
  const before = topologicalOrder(registrations)
    .filter((id) => disposes.has(id))
    .toReversed();
  const [from, to] = differingPart(before, now);
  if (from.length === 0) return [];
  const message = `Resources are disposed of in another order. 5.2: ${listed(from)}; now: ${listed(to)}.`;
  const fix =
    "if one needs another while it disposes, list it in its .dependencies(...): that order is kept in every version.";
  return [{ severity: "silent", rule: "disposeOrder", message, fix, ids: to.slice(0, 20) }];
}

/** Resources as 5.2 sorted them: in container order, each behind the resources it depends on. */
function topologicalOrder(registrations: Registrations): string[] {
  const order: string[] = [];
  const visited = new Map<string, boolean>();
  const edges = (id: string): readonly string[] => {
    const { dependencies } = registrations.get(id) as ResourceRegistration;
    const targets = Object.values(dependencies).flatMap((dependency) => targetOf(dependency)?.id ?? []);
    return targets.filter((target) => registrations.get(target)?.kind === "resource");
  };
  for (const { id } of registrationsOf(registrations, "resource"))
    visitDependencyFirst(id, edges, visited, (each) => void order.push(each));
  return order;
}

/** Two orders of the same ids, without what they have in common at the beginning and at the end. */
function differingPart(a: readonly string[], b: readonly string[]): [string[], string[]] {
  const start = a.findIndex((id, index) => id !== b[index]);
  if (start === -1) return [[], []];
  const end = a.findLastIndex((id, index) => id !== b[index]) + 1;
  return [a.slice(start, end), b.slice(start, end)];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

const quoted = (ids: readonly string[]): string =>
  ids.length > 12 ? `${quoted(ids.slice(0, 12))} and ${ids.length - 12} more` : ids.map((id) => `"${id}"`).join(", ");

const listed = (ids: readonly string[]): string =>
  ids.length > 12 ? `${ids.slice(0, 12).join(", ")} and ${ids.length - 12} more` : ids.join(", ");
