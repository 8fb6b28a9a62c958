/** A payment worker, of which there are two. */
import { setTimeout as delay } from "node:timers/promises";
import { globals, r } from "@bluelibs/runner";
import { composition } from "./composition";
import { charge, orderKey, type Order } from "./contract";
import { openLedger } from "./ledger";
import { serve } from "./service";
import { setting } from "./settings";

const { payments, store } = await composition();

const ledger = r
  .resource("payments.resources.ledger")
  .init(async () => openLedger(setting("FOLDER")))
  .dispose(async (opened) => opened.close())
  .build();

/** How long the key of a worker that was killed is not given to another one. */
const leaseMs = Number(setting("LEASE_MS", "15000"));
/** The order that ends the worker which moves its money, between the effect and the reply. */
const killedBy = setting("KILLED_BY", "");

const realCharge = r
  .task(charge.id)
  .tags([globals.tags.idempotent.with({ key: orderKey, store, leaseMs })])
  .dependencies({ ledger })
  .run(async (order: Order, { ledger: books }) => {
    const { receipt, isNew } = books.pay(order);
    if (isNew && order.id === killedBy) process.kill(process.pid, "SIGKILL");
    // The money has moved, and the call has not ended: a worker that is killed now leaves a key without a reply.
    await delay(20);
    return receipt;
  })
  .build();

await serve("payments", [ledger, realCharge, ...payments()]);
