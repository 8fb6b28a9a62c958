import { invalidSubscription } from "../../../errors/wireErrors";

/** What a caller asks for. */
export interface WantedSubscription {
  /** Ids, each once. */
  readonly events: readonly string[];
  /** Where to go on, by the id of the event. */
  readonly after: ReadonlyMap<string, string>;
  /** Whether it is told which emissions the events are. */
  readonly wantsPath: boolean;
}

/** Longest cursor that is looked at; a longer one is none of ours. */
const maxCursorChars = 128;

/**
 * Narrows the input of a subscription.
 *
 * @param maxEvents most events of one subscription
 * @throws {WireFailure} 400
 */
export function readSubscription(input: unknown, maxEvents: number): WantedSubscription {
  if (!isRecord(input)) throw invalidSubscription("the input is no object");
  const { events, after, path } = input;
  if (!Array.isArray(events) || events.length === 0) throw invalidSubscription("events is no list of ids");
  if (events.length > maxEvents) throw invalidSubscription(`more than ${maxEvents} events`, { limit: maxEvents });
  if (!events.every((id) => typeof id === "string")) throw invalidSubscription("events is no list of ids");
  const ids = new Set<string>(events);
  if (ids.size < events.length) throw invalidSubscription("events has an id twice");
  if (path !== undefined && typeof path !== "boolean") throw invalidSubscription("path is no boolean");
  return { events: [...ids], after: readAfter(after, ids), wantsPath: path === true };
}

function readAfter(after: unknown, ids: ReadonlySet<string>): Map<string, string> {
  const cursors = new Map<string, string>();
  if (after === undefined) return cursors;
  if (!isRecord(after)) throw invalidSubscription("after is no object");
  for (const [id, cursor] of Object.entries(after)) {
    if (!ids.has(id)) throw invalidSubscription("after names an event that is not among events");
    if (typeof cursor !== "string") throw invalidSubscription("after holds something that is no text");
    cursors.set(id, cursor.slice(0, maxCursorChars + 1));
  }
  return cursors;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
