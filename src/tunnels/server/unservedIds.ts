import type { AllowList } from "./allowList";
import type { Caller } from "./authenticate";

/** What a configured token says of its holder. */
export type TokenHolder = Pick<Partial<Caller>, "name" | "tasks" | "events" | "subscribable">;

/**
 * The ids that a token lists and a server does not serve: misspelt ones, or those of a definition that no tunnel names.
 * Its holder would get the refusal of what does not exist, which tells nothing of the cause.
 *
 * @returns each once; empty for predicates, which list nothing
 */
export function unservedIds({ tasks, events, subscribable }: TokenHolder, allowList: AllowList): string[] {
  const unserved = [
    ...listed(tasks).filter((id) => !allowList.tasks.has(id)),
    ...listed(events).filter((id) => !allowList.events.has(id)),
    ...listed(subscribable).filter((id) => !allowList.subscribable.has(id)),
  ];
  return [...new Set(unserved)];
}

function listed(selection: TokenHolder["tasks"] | TokenHolder["events"]): string[] {
  if (selection === undefined || typeof selection === "function") return [];
  return selection.map((item) => (typeof item === "string" ? item : item.id));
}
