/** What the services agree on. None of them knows how the others are reached. */
import { globals, r } from "@bluelibs/runner";

export interface Order {
  readonly id: string;
  readonly cents: number;
}

export interface Payment {
  readonly orderId: string;
  readonly receipt: string;
}

/** Calls of one order are one call: the key lets a caller, and whatever carries the call, make it again. */
export const orderKey = ({ id }: Order): string => id;

/** The payment workers run it. */
export const charge = r.task
  .phantom<Order, string>("payments.tasks.charge")
  .tags([globals.tags.idempotent.with({ key: orderKey })])
  .build();

/** The gateway emits it, the mailer hears it. */
export const paid = r.event<Payment>("orders.events.paid").build();
