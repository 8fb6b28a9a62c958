import type { ContractChange } from "../../errors/bootErrors";
import type { DiscoveredContract, Discovery } from "./readDiscovery";
import { diffContracts } from "./contractDiff";
import { stableText, withoutAnnotations } from "./canonical";
import { payloadsOf, type ContractLock, type EventAccess } from "./contractLock";

/** Ids of what a caller uses of a server. */
export interface NamedIds {
  readonly tasks: readonly string[];
  readonly events: readonly string[];
  /** Events that are listened to. */
  readonly heard: readonly string[];
}

type Kind = ContractChange["kind"];
const entriesOf = { task: "tasks", event: "events" } as const;

/** What a caller does with what it names. */
type Use = "call" | EventAccess;

/**
 * How a server differs from what its caller was written against, as far as the caller uses it.
 *
 * @param lock what the caller was written against. Without it only what is missing is found.
 */
export function differencesOf(
  named: NamedIds,
  { allowList, contract }: Discovery,
  lock: ContractLock | undefined,
): readonly ContractChange[] {
  const found: ContractChange[] = [];
  const hashes = contract as DiscoveredContract;
  const listed: Readonly<Record<Use, ReadonlySet<string>>> = {
    call: new Set(allowList.tasks),
    emit: new Set(allowList.events),
    subscribe: new Set(allowList.subscribable),
  };
  // Where everything is open, nothing is listed.
  const isReachable = (use: Use, id: string): boolean =>
    listed[use].has(id) || (!allowList.enabled && use !== "subscribe");

  function compare(kind: Kind, use: Use, ids: readonly string[]): void {
    const entries = entriesOf[kind];
    for (const id of ids) {
      const add = (level: ContractChange["level"], message: string): void =>
        void found.push({ kind, id, level, message });
      const now = own(hashes[entries], id);
      const then = lock && own<{ readonly hash: string }>(lock[entries], id);
      if (now === undefined || !isReachable(use, id)) {
        add("breaking", missing[use]);
        continue;
      }
      if (lock === undefined) continue;
      const older = only(lock, use, id);
      if (older === undefined) add("unknown", "the lock does not have it");
      else if (then?.hash === now) continue;
      else if (hashes.lock === undefined) {
        const how = 'how is known only of a server with http.contract: "schemas"';
        add("unknown", `changed since the lock was written; ${how}`);
      } else found.push(...diffContracts(older, only(hashes.lock, use, id) ?? nothing));
    }
  }

  compare("task", "call", named.tasks);
  compare("event", "emit", named.events);
  compare("event", "subscribe", named.heard);
  return found;
}

const missing: Readonly<Record<Use, string>> = {
  call: "the server does not have it, or not for this caller",
  emit: "the server does not have it, or not for this caller",
  subscribe: "the server does not let this caller listen to it",
};

const own = <T>(entries: Readonly<Record<string, T>>, id: string): T | undefined =>
  Object.hasOwn(entries, id) ? entries[id] : undefined;

const nothing: ContractLock = { lock: 1, hash: "", tasks: {}, events: {} };

/** A contract of one task, or of one use of an event: what else may be done with it does not count. */
function only({ tasks, events }: ContractLock, use: Use, id: string): ContractLock | undefined {
  if (use === "call") {
    const task = own(tasks, id);
    return task && { ...nothing, tasks: { [id]: task } };
  }
  const event = own(events, id);
  const payload = event && payloadsOf(event)[use];
  if (payload === undefined) return undefined;
  const hash = stableText(withoutAnnotations(payload));
  return { ...nothing, events: { [id]: { payload, access: [use], hash } } };
}
