/** The package of a caller. Of the server it imports the type alone: `@acme/billing`, were it not in the next folder. */
import { readFileSync } from "node:fs";
import { Errors, r, safe, type ContractLockFile } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";
import type * as Billing from "../billing/tasks";
// The server itself, which is a process of its own elsewhere.
import server from "../billing/app";

const lock = JSON.parse(readFileSync(new URL("billing.lock.json", import.meta.url), "utf8")) as ContractLockFile;

/** Names and ids are completed and checked; the tunnel registers what it names. */
const billingOf = (written: ContractLockFile) =>
  r.tunnel
    .client<typeof Billing>("shop.billing")
    .tasks({ charge: "billing.tasks.charge", statement: { id: "billing.tasks.statement", streams: true } })
    .http((config: { baseUrl: string }) => ({ ...config, auth: { token: "dev-secret" } }))
    .verify("throw", written)
    .build();
const billing = billingOf(lock);

const checkout = r
  .task("shop.tasks.checkout")
  .dependencies({ charge: billing.tasks.charge })
  .run(async (amount: number, { charge }) => {
    const paid = await safe(charge, { amount }); // the currency has a default
    if (paid.ok) return `paid ${paid.value.receipt}`;
    if (paid.declared && paid.error.id === "billing.errors.insufficientFunds")
      return `${paid.error.data.missing} missing`;
    throw paid.error;
  })
  .build();

const total = r
  .task("shop.tasks.total")
  .dependencies({ statement: billing.tasks.statement })
  .run(async (days: number, { statement }) => {
    let sum = 0;
    for await (const { amount } of statement({ days })) sum += amount;
    return sum;
  })
  .build();

const quiet = { logs: { printThreshold: null } } as const;
await using served = await run(server, quiet);
const baseUrl = served.getResourceValue(nodeExposure).url;
await using app = await run(
  r
    .resource("shop")
    .register([checkout, total, billing.with({ baseUrl })])
    .build(),
  quiet,
);

console.log("checkout:", await app.runTask(checkout, 5));
console.log("checkout:", await app.runTask(checkout, 107));
console.log("statement:", await app.runTask(total, 3));

// A caller that was written against something else does not start.
const charged = {
  ...(lock.tasks as Record<string, object>)["billing.tasks.charge"],
  input: { type: "number" },
  hash: "other",
};
const older = billingOf({ ...lock, tasks: { ...lock.tasks, "billing.tasks.charge": charged } });
try {
  await run(
    r
      .resource("old-shop")
      .register([older.with({ baseUrl })])
      .build(),
    quiet,
  );
} catch (error) {
  if (!Errors.contractMismatchError.is(error)) throw error;
  for (const { level, id, message } of error.data.differences) console.log(`${level}: ${id}: ${message}`);
}
