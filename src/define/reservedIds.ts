/** Ids of framework definitions that the runtime treats in a way of its own. */
export const excludeFromGlobalHooksId = "globals.tags.excludeFromGlobalHooks";
export const storeId = "globals.resources.store";
export const eventManagerId = "globals.resources.eventManager";
export const taskRunnerId = "globals.resources.taskRunner";
export const readyEventId = "globals.events.ready";
