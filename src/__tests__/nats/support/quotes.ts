import { z } from "zod";
import { r } from "../../../node/index";

export type QuoteVersion = 1 | 2;

/** Two versions of one task: the second one takes something else, and says more. */
export function quoteOf(version: QuoteVersion, onRun: () => void) {
  const task = r.task("work.quote");
  if (version === 1) {
    return task
      .inputSchema(z.object({ cents: z.number() }))
      .run(async ({ cents }) => {
        onRun();
        return { version: 1, cents };
      })
      .build();
  }
  return task
    .inputSchema(z.object({ amount: z.object({ cents: z.number(), currency: z.string() }) }))
    .run(async ({ amount }) => {
      onRun();
      return { version: 2, ...amount };
    })
    .build();
}
