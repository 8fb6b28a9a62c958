/** What the three services agree on. */
import { globals, r } from "@bluelibs/runner";

export interface Order {
  readonly id: string;
  readonly cents: number;
  /** Has the bank take its time. */
  readonly slow?: boolean;
}

export const declined = r
  .error<{ id: string }>("shop.errors.declined")
  .format(({ id }) => `order ${id}: the card was declined`)
  .httpCode(402)
  .build();

const { retry } = globals.middleware.task;

/**
 * `payments` runs it. While that restarts, `orders` tries again: always where the call was not taken, and where that is unknown
 * because one order is charged once, however often that is asked for.
 */
export const charge = r.task
  .phantom<Order, string>("payments.tasks.charge")
  .middleware([retry.with({ retries: 100, delayStrategy: () => 50 })])
  .tags([globals.tags.tunnelPolicy.with({ client: [retry] }), globals.tags.idempotent])
  .build();

/** `orders` runs it. */
export const place = r.task.phantom<Order, string>("orders.tasks.place").build();
