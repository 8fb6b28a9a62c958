import { readEmissionPath, runIdOf } from "./emissionPath";
import type { WireRequest } from "./wire";
import type { EmissionPath } from "../../lib/emissionPath";

/** How many emissions a run remembers at least, and for how long: paths that meet differ by much less. */
const leastEmissions = 10_000;
const rememberedMs = 300_000;

/**
 * Emissions that a run has received, with the time when each is forgotten. Those before the last ones go all at once: to look
 * for the first entry of a Map whose first entries are deleted one by one takes longer with each of them.
 */
interface Memory {
  last: Map<string, number>;
  before: Map<string, number>;
}

/** Shared by all servers of a run, since paths may meet in two of them. */
const memories = /* @__PURE__ */ new WeakMap<object, Memory>();

/**
 * Whether an event has been heard in this run already: it was emitted here, passed here, or came by another path before.
 * Remembers it otherwise. Emissions without an id, as older peers send them, are not remembered.
 *
 * @param run the event manager of the run
 */
export function isRepeated(
  run: object,
  { target, headers, edge }: Pick<WireRequest, "target" | "headers" | "edge">,
): boolean {
  return isRepeatedOn(readEmissionPath(headers), run, target.id, edge?.hearsOwn);
}

/**
 * The same, by the path of an emission.
 *
 * @param hearsOwn whether what this run has emitted itself counts as new. Default false
 */
export function isRepeatedOn(path: EmissionPath | undefined, run: object, eventId: string, hearsOwn = false): boolean {
  if (path === undefined) return false;
  if (path.via.includes(runIdOf(run)) && !hearsOwn) return true;
  if (path.id === undefined) return false;
  let memory = memories.get(run);
  if (memory === undefined) memories.set(run, (memory = { last: new Map(), before: new Map() }));
  // With the event: a tunnel that is written by hand may turn one emission into events of several ids.
  return isKnown(memory, `${path.id} ${eventId}`);
}

/** Takes back that an event has been heard: its hooks failed, and it may come again. */
export function forgetEmission(run: object, { target, headers }: Pick<WireRequest, "target" | "headers">): void {
  const memory = memories.get(run);
  const key = `${readEmissionPath(headers)?.id} ${target.id}`;
  memory?.last.delete(key);
  memory?.before.delete(key);
}

function isKnown(memory: Memory, key: string): boolean {
  const now = performance.now();
  if ((memory.last.get(key) ?? memory.before.get(key) ?? 0) > now) return true;
  if (memory.last.size >= leastEmissions) {
    memory.before = memory.last;
    memory.last = new Map();
  }
  memory.last.set(key, now + rememberedMs);
  return false;
}
