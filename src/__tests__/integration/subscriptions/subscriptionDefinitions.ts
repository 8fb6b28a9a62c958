import { r } from "../../../node";

export const placed = r.event<{ order: number; at?: Date }>("app.events.placed").build();
export const shipped = r.event<{ parcel: string }>("app.events.shipped").build();
/** May be emitted from outside, and not be listened to. */
export const audited = r.event<{ secret: string }>("app.events.audited").build();
