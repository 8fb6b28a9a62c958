import type { ContractChange } from "../../errors/bootErrors";
import type { DiscoveredContract, Discovery } from "./readDiscovery";
import { diffContracts } from "./contractDiff";
import type { ContractLock } from "./contractLock";

/** Ids of what a caller uses of a server. */
export interface NamedIds {
  readonly tasks: readonly string[];
  readonly events: readonly string[];
  /** Events that are listened to. */
  readonly heard: readonly string[];
}

type Kind = ContractChange["kind"];
const entriesOf = { task: "tasks", event: "events" } as const;

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
  const add = (kind: Kind, id: string, level: ContractChange["level"], message: string): void =>
    void found.push({ kind, id, level, message });
  const hashes = contract as DiscoveredContract;

  function compare(kind: Kind, ids: readonly string[]): void {
    const entries = entriesOf[kind];
    for (const id of ids) {
      const now = own(hashes[entries], id);
      const then = lock && own<{ readonly hash: string }>(lock[entries], id);
      if (now === undefined) add(kind, id, "breaking", "the server does not have it, or not for this caller");
      else if (lock === undefined || then?.hash === now) continue;
      else if (then === undefined) add(kind, id, "unknown", "the lock does not have it");
      else if (hashes.lock === undefined) {
        const how = 'how is known only of a server with http.contract: "schemas"';
        add(kind, id, "unknown", `changed since the lock was written; ${how}`);
      } else found.push(...diffContracts(only(lock, entries, id), only(hashes.lock, entries, id)));
    }
  }

  compare("task", named.tasks);
  compare("event", named.events);
  const subscribable = new Set(allowList.subscribable);
  for (const id of named.heard) {
    if (!subscribable.has(id)) add("event", id, "breaking", "the server does not let this caller listen to it");
  }
  return found;
}

const own = <T>(entries: Readonly<Record<string, T>>, id: string): T | undefined =>
  Object.hasOwn(entries, id) ? entries[id] : undefined;

/** A contract of one task or event. */
function only(contract: ContractLock, entries: "tasks" | "events", id: string): ContractLock {
  const entry = own<unknown>(contract[entries], id);
  return { ...contract, tasks: {}, events: {}, [entries]: entry === undefined ? {} : { [id]: entry } };
}
