import type { EdgesOf } from "../lib/graph";
import { targetOf } from "./dependencyTarget";
import type { LayerSelection } from "./selectLayers";
import type { Registration, Registrations } from "./registration";

/** What has dependencies of its own: events, tags, errors and contexts are no nodes. */
export function isNode({ kind }: Registration): boolean {
  return kind === "task" || kind === "resource" || kind === "hook" || kind === "taskMiddleware" || kind === "resourceMiddleware";
}

/**
 * What must be there before a definition: its dependencies, the middleware attached to it, and the `everywhere`
 * middleware that applies to it.
 *
 * A framework value is there from the start, so nothing precedes it; otherwise a resource middleware that applies
 * everywhere and logs would wait for itself.
 */
export function createEdges(registrations: Registrations, layers: LayerSelection): EdgesOf {
  const edges = new Map<string, readonly string[]>();
  for (const registration of registrations.values()) {
    if (isNode(registration)) edges.set(registration.id, edgesFrom(registration, registrations, layers));
  }
  return (id) => edges.get(id) ?? noEdges;
}

const noEdges: readonly string[] = [];

function edgesFrom(registration: Registration, registrations: Registrations, layers: LayerSelection): readonly string[] {
  if (registration.kind === "resource" && registration.preset !== undefined) return noEdges;
  const ids: string[] = [];
  for (const key in registration.dependencies) {
    const target = targetOf(registration.dependencies[key]);
    if (target !== undefined) ids.push(target.id);
  }
  if (registration.kind === "task") {
    for (const { middlewareId } of layers.forTask(registration.definition)) ids.push(middlewareId);
  } else if (registration.kind === "resource") {
    for (const { middlewareId } of layers.forResource(registration.definition)) ids.push(middlewareId);
  }
  return ids.length === 0 ? noEdges : ids.filter((id) => isNodeId(id, registrations));
}

function isNodeId(id: string, registrations: Registrations): boolean {
  const target = registrations.get(id);
  return target !== undefined && isNode(target);
}
