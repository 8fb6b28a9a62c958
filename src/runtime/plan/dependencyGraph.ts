import { noItems } from "../../lib/nothing";
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
export function createEdges(registrations: Registrations, attachmentsOf: AttachmentsOf): EdgesOf {
  const edges = new Map<string, readonly string[]>();
  for (const registration of registrations.values()) {
    if (!isNode(registration)) continue;
    const needed = edgesFrom(registration, registrations, attachmentsOf);
    if (needed.length > 0) edges.set(registration.id, needed);
  }
  return (id) => edges.get(id) ?? noItems;
}

/** The middleware around a task or resource, by id; outermost first. */
export type AttachmentsOf = (id: string) => readonly Attachment[];

/** Selects the middleware of all definitions, so that predicates of `everywhere` are asked once. */
export function selectAttachments(registrations: Registrations, layers: LayerSelection): AttachmentsOf {
  const attachments = new Map<string, readonly Attachment[]>();
  registrations.forEach((registration) => {
    const selected = attachmentsFor(registration, layers);
    if (selected.length > 0) attachments.set(registration.id, selected);
  });
  return (id) => attachments.get(id) ?? noItems;
}

function attachmentsFor(registration: Registration, layers: LayerSelection): readonly Attachment[] {
  if (registration.kind === "task") return layers.forTask(registration.definition);
  // A framework value is not made by the run, so nothing is around it.
  return registration.kind === "resource" && registration.preset === undefined
    ? layers.forResource(registration.definition)
    : noItems;
}

function edgesFrom(
  registration: Registration,
  registrations: Registrations,
  attachmentsOf: AttachmentsOf,
): readonly string[] {
  if (registration.kind === "resource" && registration.preset !== undefined) return noItems;
  let ids: string[] | undefined;
  for (const key in registration.dependencies) {
    const target = targetOf(registration.dependencies[key]);
    if (target !== undefined && isNodeId(target.id, registrations)) (ids ??= []).push(target.id);
  }
  for (const { middlewareId } of attachmentsOf(registration.id)) {
    if (isNodeId(middlewareId, registrations)) (ids ??= []).push(middlewareId);
  }
  return ids ?? noItems;
}

function isNodeId(id: string, registrations: Registrations): boolean {
  const target = registrations.get(id);
  return target !== undefined && isNode(target);
}
