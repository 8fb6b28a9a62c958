import type { EventEmitter } from "node:events";
import { currentSlots, enterSlots, type ContextSlots } from "../../platform/contextScope";

/** Has the listeners of an emitter run with these slots, whatever makes it emit. */
export function bindListeners(emitter: EventEmitter, slots: ContextSlots | undefined): void {
  if (slots === undefined) return;
  const { emit } = emitter;
  // The streams of Node emit from where their bytes come from, which is a connection that many calls share.
  emitter.emit = (...args: Parameters<EventEmitter["emit"]>) =>
    // What the call does by itself is inside already, and is the most of it.
    currentSlots() === slots ? emit.apply(emitter, args) : enterSlots(slots, () => emit.apply(emitter, args));
}
