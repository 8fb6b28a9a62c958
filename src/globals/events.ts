import { defineEvent } from "../define/event";
import { readyEventId } from "../define/reservedIds";

export const globalEvents = {
  /** Everything is initialised; nothing may be added any more. */
  ready: /* @__PURE__ */ defineEvent<void>({ id: readyEventId }),
};
