import { z } from "zod";
import { r } from "../../node/index";

/** A task with a contract, one without, and an event. */
export const charge = r
  .task("shop.tasks.charge")
  .inputSchema(z.object({ amount: z.number() }))
  .resultSchema(z.object({ receipt: z.string() }))
  .throws(["shop.errors.poor"])
  .run(async () => ({ receipt: "r1" }))
  .build();
export const refund = r
  .task("shop.tasks.refund")
  .run(async () => "refunded")
  .build();
export const charged = r
  .event("shop.events.charged")
  .payloadSchema(z.object({ amount: z.number() }))
  .build();
