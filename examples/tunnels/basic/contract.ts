/** What both processes agree on: the error and the context that travel, and the shapes of the calls. */
import { r } from "@bluelibs/runner";

export const outOfStock = r
  .error<{ sku: string; left: number }>("shop.errors.outOfStock")
  .format(({ sku, left }) => `only ${left} of ${sku} left`)
  .httpCode(409)
  .build();

export const requestInfo = r.asyncContext<{ requestId: string }>("shop.contexts.requestInfo").build();

export interface Order {
  sku: string;
  quantity: number;
}

export interface Snapshot {
  takenAt: Date;
  stock: Map<string, number>;
  totalCents: bigint;
  discount: undefined;
}
