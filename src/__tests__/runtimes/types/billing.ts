import { globals, r } from "@bluelibs/runner";
import { z } from "zod";

/** A server's module, as typed contracts read it. */
export const insufficientFunds = r
  .error("billing.errors.insufficientFunds")
  .dataSchema(z.object({ missing: z.number() }))
  .build();

export const charge = r
  .task("billing.tasks.charge")
  .inputSchema(
    z.object({ amount: z.number(), currency: z.string().default("EUR"), at: z.string().pipe(z.coerce.date()) }),
  )
  .throws([insufficientFunds])
  .tags([globals.tags.idempotent.with({ key: ({ at }: { at: string }) => at, ttlMs: 1_000 })])
  .run(async ({ amount, currency, at }) => ({ paid: `${amount} ${currency}`, at }))
  .build();

export const rows = r
  .task("billing.tasks.rows")
  .inputSchema(z.object({ from: z.number().default(1), to: z.number() }))
  .stream(async function* ({ from, to }) {
    for (let id = from; id <= to; id += 1) yield { id };
    return { total: to - from + 1 };
  })
  .build();

export const importRows = r
  .task("billing.tasks.importRows")
  .itemInput<{ id: number }>()
  .run(async (input: { table: string }, _dependencies, { items }) => {
    let count = 0;
    for await (const { id } of items) count += id;
    return { table: input.table, count };
  })
  .build();

export const charged = r
  .event("billing.events.charged")
  .payloadSchema(z.object({ amount: z.number() }))
  .build();
