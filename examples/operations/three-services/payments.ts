/** Charges orders, at most eight at a time. */
import { setTimeout as delay } from "node:timers/promises";
import { globals, r } from "@bluelibs/runner";
import { charge, declined, type Order } from "./contract";
import { serve, tell, traceparent } from "./service";

const { concurrency } = globals.middleware.task;

const realCharge = r
  .task(charge.id)
  .throws([declined])
  .middleware([concurrency.with({ limit: 8, queueLimit: 100 })])
  .run(async ({ id, cents, slow = false }: Order, _dependencies, { signal }) => {
    tell({ kind: "called", service: "payments", traceparent: traceparent() });
    if (cents > 100_000) declined.throw({ id });
    try {
      await delay(slow ? 60_000 : 5, undefined, { signal });
    } finally {
      if (signal.aborted) tell({ kind: "stopped", service: "payments" });
    }
    return `${id} paid`;
  })
  .build();

await serve("payments", [charge.id], [realCharge]);
