/** The calling side: a phantom task in a run of its own, and a client without any. */
import { r, TunnelError } from "@bluelibs/runner";
import { createHttpMixedClient, run } from "@bluelibs/runner/node";
import { insufficientFunds, locale, trace, type Transfer } from "./contract";
import { startServer } from "./server";

interface Receipt {
  requestId: string;
  startedIn: number;
  formatted: string;
}

await using server = await startServer();
const { baseUrl } = server;
const auth = { token: "dev-secret" };

const transfer = r.task.phantom<Transfer, Receipt>("bank.tasks.transfer").build();

/** Its client knows the contexts and errors that this run registers. */
const toBank = r.tunnel.client("shop.tunnels.toBank").tasks([transfer]).http({ baseUrl, auth }).build();

const pay = r
  .task("shop.tasks.pay")
  .dependencies({ transfer })
  .run(async (amount: number, { transfer }) => transfer({ to: "tea house", amount }))
  .build();

const app = r.resource("shop").register([transfer, toBank, pay, trace, locale, insufficientFunds]).build();
await using shop = await run(app, { logs: { printThreshold: null } });

// What is provided around a call is there when the task runs.
const receipt = await trace.provide({ requestId: "req-1", startedAt: new Date(0) }, () =>
  locale.provide("de-DE", () => shop.runTask(pay, 99.5)),
);
console.log("receipt:", receipt);

// A registered error is thrown here as it was there.
await shop.runTask(pay, 250).catch((error: unknown) => {
  if (!insufficientFunds.is(error)) throw error;
  console.log(`caught with .is: ${error.message}, more on ${error.data.availableAt.toISOString().slice(0, 10)}`);
});

// Without the helper it is a TunnelError that says the same.
await using client = createHttpMixedClient({ baseUrl, auth });
console.log("without the helper:", await failureOf({ to: "tea house", amount: 250 }));

// What the schema of the task refuses is the caller's mistake, so the caller is told.
console.log("refused input:", await failureOf({ to: "tea house", amount: -1 }));

// Whatever else happens there stays there.
console.log("any other error:", await failureOf({ to: "nobody", amount: 1 }));

async function failureOf(input: Transfer): Promise<string> {
  const error: unknown = await client.task("bank.tasks.transfer", input).catch((reason: unknown) => reason);
  if (!(error instanceof TunnelError)) throw new Error("this call was meant to fail");
  return `${error.code}${error.id ? ` (${error.id})` : ""}: ${error.message.split("\n")[0]}`;
}
