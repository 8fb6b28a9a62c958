import { globals } from "../../late";
import type { Logger } from "../../globals/resources/logger";
import type { EventManager } from "../../runtime/events/eventManager";
import type { Store } from "../../runtime/run/store";
import type { SerializerLike } from "../../serializer/codec";

/**
 * What serving and calling takes of a run, as definitions.
 *
 * Of the entry `.`: what this one shares with it is then no further piece of the build, which pages would pay for.
 */
export const runParts = () => ({
  store: globals.resources.store,
  eventManager: globals.resources.eventManager,
  logger: globals.resources.logger,
  serializer: globals.resources.serializer,
});

/** The same as values. */
export interface RunPartValues {
  readonly store: Store;
  readonly eventManager: EventManager;
  readonly logger: Logger;
  readonly serializer: SerializerLike;
}
