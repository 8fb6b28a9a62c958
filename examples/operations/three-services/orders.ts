/** Places orders, and has `payments` charge them. */
import { r } from "@bluelibs/runner";
import { charge, place, type Order } from "./contract";
import { remote, serve, tell, traceparent } from "./service";

const toPayments = r.tunnel
  .client("orders.tunnels.payments")
  .tasks([charge])
  .http(remote(process.env["PAYMENTS_URL"]))
  .build();

const realPlace = r
  .task(place.id)
  .dependencies({ charge })
  .run(async (order: Order, tasks) => {
    tell({ kind: "called", service: "orders", traceparent: traceparent() });
    return `${await tasks.charge(order)}, placed`;
  })
  .build();

await serve("orders", [place.id], [realPlace, charge, toPayments]);
