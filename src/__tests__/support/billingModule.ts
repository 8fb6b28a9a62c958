import { z } from "zod";
import { r } from "../../index";

/** A server's module, as a typed contract reads it: its exports are tasks, an event, an error and other things. */
export const insufficientFunds = r
  .error("billing.errors.insufficientFunds")
  .dataSchema(z.object({ missing: z.number() }))
  .httpCode(402)
  .build();

export const charge = r
  .task("billing.tasks.charge")
  .inputSchema(
    z.object({ amount: z.number(), currency: z.string().default("EUR"), at: z.string().pipe(z.coerce.date()) }),
  )
  .throws([insufficientFunds])
  .run(async ({ amount, currency, at }) =>
    amount > 100 ? insufficientFunds.throw({ missing: amount - 100 }) : { paid: `${amount} ${currency}`, at },
  )
  .build();

export const ping = r
  .task("billing.tasks.ping")
  .run(async () => "pong")
  .build();

export const rows = r
  .task("billing.tasks.rows")
  .inputSchema(z.object({ from: z.number().default(1), to: z.number() }))
  .throws([insufficientFunds])
  .stream(async function* ({ from, to }) {
    for (let id = from; id <= to; id += 1) {
      if (id > 100) insufficientFunds.throw({ missing: id - 100 });
      yield { id, on: new Date(0) };
    }
    return { total: to - from + 1 };
  })
  .build();

export const charged = r
  .event("billing.events.charged")
  .payloadSchema(z.object({ amount: z.number() }))
  .build();

export const written = r.event<{ note: string }>("billing.events.written").build();

/** @public What is neither task nor event is left out of the types of clients. */
export const helper = (): number => 1;
