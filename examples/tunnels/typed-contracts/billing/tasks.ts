/** What the package of the server exports: its tasks, events and errors. Their types are the contract. */
import { r } from "@bluelibs/runner";
import { z } from "zod";

export const insufficientFunds = r
  .error("billing.errors.insufficientFunds")
  .dataSchema(z.object({ missing: z.number() }))
  .build();

export const charge = r
  .task("billing.tasks.charge")
  .inputSchema(z.object({ amount: z.number().positive(), currency: z.string().default("EUR") }))
  .resultSchema(z.object({ receipt: z.string() }))
  .throws([insufficientFunds])
  .run(async ({ amount, currency }) =>
    amount > 100 ? insufficientFunds.throw({ missing: amount - 100 }) : { receipt: `${amount} ${currency}` },
  )
  .build();

export const statement = r
  .task("billing.tasks.statement")
  .inputSchema(z.object({ days: z.int().positive() }))
  .stream(async function* ({ days }) {
    for (let day = 1; day <= days; day += 1) yield { day, amount: day * 10 };
    return { days };
  })
  .itemSchema(z.object({ day: z.int(), amount: z.number() }))
  .build();
