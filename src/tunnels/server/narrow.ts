import type { IEvent } from "../../define/event";
import type { ITask } from "../../define/task";
import { pick } from "../routing/selectors";
import type { AllowList, ServedEvent, ServedTask } from "./allowList";
import type { Caller } from "./authenticate";

/** What of an allow-list a caller may reach. */
export type Narrow = (allowList: AllowList, caller: Caller) => AllowList;

type Served = ServedTask | ServedEvent;
type Selection = readonly unknown[] | ((definition: never) => boolean);

/**
 * Narrows allow-lists to what callers may reach. Of an open one as well, the rest then answers as what is not listed, so
 * that it does not show what exists.
 *
 * Selections are evaluated once for each list or predicate, by its identity: a validator that returns the same one for
 * many calls costs no more than a token.
 *
 * @param onSkipped a predicate threw, so the item was left out
 */
export function createNarrow(onSkipped: (id: string, error: unknown) => void): Narrow {
  const evaluated = new WeakMap<Selection, { readonly of: ReadonlyMap<string, Served>; readonly picked: unknown }>();

  function within<S extends Served>(
    of: ReadonlyMap<string, S>,
    selection: Selection | undefined,
  ): ReadonlyMap<string, S> {
    if (selection === undefined) return nothing;
    const known = evaluated.get(selection);
    if (known?.of === of) return known.picked as Map<string, S>;
    const picked = new Map<string, S>();
    for (const id of idsOf(selection, of, onSkipped)) {
      const served = of.get(id);
      if (served !== undefined) picked.set(id, served);
    }
    evaluated.set(selection, { of, picked });
    return picked;
  }

  return (allowList, { tasks, events, subscribable }) => {
    if (tasks === undefined && events === undefined && subscribable === undefined) return allowList;
    if (!allowList.enabled && !allowList.open) return allowList;
    return {
      enabled: true,
      open: false,
      tasks: within(allowList.tasks, tasks),
      events: within(allowList.events, events),
      subscribable: within(allowList.subscribable, subscribable),
    };
  };
}

/** One for all, so that what is kept for a map is found again. */
const nothing: ReadonlyMap<string, never> = /* @__PURE__ */ new Map<string, never>();

/** What is no id selects nothing: a validator may return anything. */
function idsOf(
  selection: Selection,
  served: ReadonlyMap<string, Served>,
  onSkipped: (id: string, error: unknown) => void,
): string[] {
  if (typeof selection !== "function") {
    return selection.flatMap((item) => {
      const id = typeof item === "string" ? item : (item as { id?: unknown } | null | undefined)?.id;
      return typeof id === "string" ? id : [];
    });
  }
  const definitions = new Map([...served].map(([id, each]) => [id, definitionOf(each)]));
  const isSelected = selection as (definition: ITask | IEvent) => boolean;
  return pick(isSelected, definitions, { onUnknown() {}, onFailed: onSkipped }).map(({ id }) => id);
}

const definitionOf = (served: Served): ITask | IEvent => (served.kind === "task" ? served.cell.task : served.event);
