/** What callers from outside reach: it knows them by name, limits each of them, and passes on what they may ask for. */
import { globals, r } from "@bluelibs/runner";
import { place, type Order } from "./contract";
import { remote, serve, tell, traceparent } from "./service";

const { rateLimit } = globals.middleware.task;

const toOrders = r.tunnel
  .client("gateway.tunnels.orders")
  .tasks([place])
  .http(remote(process.env["ORDERS_URL"]))
  .build();

const perCaller = rateLimit.with({
  windowMs: 60_000,
  max: 100_000,
  key: (_order: Order, { name }) => String(name),
});

const checkout = r
  .task("gateway.tasks.checkout")
  .middleware([perCaller])
  .dependencies({ place })
  .run(async (order: Order, tasks) => {
    tell({ kind: "called", service: "gateway", traceparent: traceparent() });
    return tasks.place(order);
  })
  .build();

/** Guests may ask for few prices only. */
const price = r
  .task("gateway.tasks.price")
  .middleware([rateLimit.with({ windowMs: 60_000, max: 2, key: (_input: void, { name }) => String(name) })])
  .run(async (_input: void) => 500)
  .build();

await serve("gateway", [checkout.id, price.id], [checkout, price, place, toOrders]);
