/** What the page and its server agree on. */
import { r } from "@bluelibs/runner";

export interface Order {
  readonly id: number;
  readonly item: string;
  readonly placedAt: Date;
}

export const orderPlaced = r.event<Order>("shop.events.orderPlaced").build();

/** All orders there are, one by one. */
export const listOrders = r.task.phantom.stream<undefined, Order, number>("shop.tasks.listOrders").build();
export const placeOrder = r.task.phantom<{ item: string }, Promise<Order>>("shop.tasks.placeOrder").build();
