import type { EdgesOf } from "../../lib/graph";
import type { Attachment, LayerSelection } from "./selectLayers";
import { type Registration, type Registrations, targetOf } from "./registration";

/** What has dependencies of its own: events, tags, errors and contexts are no nodes. */
function isNode({ kind }: Registration): boolean {
  return (
    kind === "task" ||
    kind === "resource" ||
    kind === "hook" ||
    kind === "taskMiddleware" ||
    kind === "resourceMiddleware"
  );
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
    if (!isNode(registration)) continue;
    const needed = edgesFrom(registration, registrations, layers);
    if (needed.length > 0) edges.set(registration.id, needed);
  }
  return (id) => edges.get(id) ?? noEdges;
}

const noEdges: readonly string[] = [];

function edgesFrom(
  registration: Registration,
  registrations: Registrations,
  layers: LayerSelection,
): readonly string[] {
  if (registration.kind === "resource" && registration.preset !== undefined) return noEdges;
  const attached = attachmentsOf(registration, layers);
  let ids: string[] | undefined;
  for (const key in registration.dependencies) {
    const target = targetOf(registration.dependencies[key]);
    if (target !== undefined && isNodeId(target.id, registrations)) (ids ??= []).push(target.id);
  }
  for (const { middlewareId } of attached) {
    if (isNodeId(middlewareId, registrations)) (ids ??= []).push(middlewareId);
  }
  return ids ?? noEdges;
}

function attachmentsOf(registration: Registration, layers: LayerSelection): readonly Attachment[] {
  if (registration.kind === "task") return layers.forTask(registration.definition);
  return registration.kind === "resource" ? layers.forResource(registration.definition) : noAttachments;
}

const noAttachments: readonly Attachment[] = [];

function isNodeId(id: string, registrations: Registrations): boolean {
  const target = registrations.get(id);
  return target !== undefined && isNode(target);
}
