import type { EventHandlerType, IEvent, IEventEmission } from "../../define/event";
import { excludeFromGlobalHooksId } from "../../define/reservedIds";
import type { Listener } from "./emission";

/** How a listener is added. */
export interface IEventHandlerOptions<P = any> {
  /** Lower runs earlier. Default 0. */
  order?: number | undefined;
  /** Skips emissions it returns false for. */
  filter?: ((emission: IEventEmission<P>) => boolean) | undefined;
  /** A listener does not receive what is emitted with this id as source. */
  id?: string | undefined;
}

/** A function as a listener. */
export function toListener(run: EventHandlerType, options: IEventHandlerOptions = {}): Listener {
  const { id, order = 0, filter } = options;
  return { id, order, filter, run: (emission) => run(emission) as unknown };
}

/**
 * The listeners of an event, in the order in which they run.
 *
 * @param ofAll those of every event but the ones tagged `excludeFromGlobalHooks`
 * @param own those of this event
 */
export function listenersInOrder(
  event: IEvent<any>,
  ofAll: readonly Listener[],
  own: readonly Listener[] = noListeners,
): readonly Listener[] {
  const isExcluded = event.tags.some(({ id }) => id === excludeFromGlobalHooksId);
  if (isExcluded || ofAll.length === 0) return own.toSorted(byOrder);
  // The sort is stable: at equal order, listeners of the event stay before those of all events.
  return [...own, ...ofAll].sort(byOrder);
}

const noListeners: readonly Listener[] = [];
// No difference: that of two infinite ones is no number.
const byOrder = (a: Listener, b: Listener): number => (a.order < b.order ? -1 : Number(a.order > b.order));
