import { createHttpClient, r, run, safe, type ItemStream } from "@bluelibs/runner";
import { createHttpMixedClient } from "@bluelibs/runner/node";
import type * as Billing from "./billing";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Fails to compile unless it is told that both are the same. */
const same = <A, B>(..._proof: Equal<A, B> extends true ? [] : ["these types differ"]): void => {};

type Paid = { paid: string; at: Date };
type Total = { total: number };
const input = { amount: 1, at: "2026-01-01" };

// In an application: tasks and events by name, and one of each by itself.
export const billing = r.tunnel
  .client<typeof Billing>("shop.billing")
  .tasks({
    charge: "billing.tasks.charge",
    importRows: "billing.tasks.importRows",
    rows: { id: "billing.tasks.rows", streams: true },
  })
  .events({ charged: "billing.events.charged" })
  .http((config: { url: string }) => ({ baseUrl: config.url }))
  .verify("warn", { lock: 1, hash: "", tasks: {}, events: {} }, { timeoutMs: 1_000 })
  .build();
export const charge = r.task.phantom.of<typeof Billing.charge>("billing.tasks.charge");
export const charged = r.event.phantom.of<typeof Billing.charged>("billing.events.charged");

export const checkout = r
  .task("shop.tasks.checkout")
  .dependencies({ ...billing.tasks, one: charge, charged: billing.events.charged })
  .run(async (amount: number, deps) => {
    same<Awaited<ReturnType<typeof deps.charge>>, Paid>();
    await deps.charged({ amount });
    await deps.importRows({ table: "rows" }, { items: [{ id: 1 }] });
    for await (const row of deps.rows({ to: 1 })) same<typeof row, { id: number }>();
    const got = await safe(deps.charge, { ...input, amount });
    if (!got.ok && got.declared && got.error.id === "billing.errors.insufficientFunds") return got.error.data.missing;
    return (await deps.one(input)).at.getTime();
  })
  .build();
export const shop = r
  .resource("shop")
  .register([checkout, billing.with({ url: "http://billing.example" })])
  .build();

// Without a container.
const client = createHttpClient<typeof Billing>({
  baseUrl: "http://billing.example",
  tasks: { charge: "billing.tasks.charge", rows: { id: "billing.tasks.rows", streams: true } },
  events: { charged: "billing.events.charged" },
});
const mixed = createHttpMixedClient<typeof Billing>({ baseUrl: "http://billing.example", batch: true });

export async function calls(): Promise<void> {
  same<Awaited<ReturnType<typeof client.tasks.charge>>, Paid>();
  const byId = await client.task("billing.tasks.charge", input, { idempotencyKey: "k1", timeoutMs: 1_000 });
  same<typeof byId, Paid>();
  const byDefinition = await mixed.task(charge, input);
  same<typeof byDefinition, Paid>();
  const imported = await mixed.task("billing.tasks.importRows", { table: "rows" }, { items: [{ id: 1 }] });
  same<typeof imported, { table: string; count: number }>();
  const outcome = await client.safe(charge, input);
  if (outcome.ok) same<typeof outcome.value, Paid>();

  const stream = client.tasks.rows({ to: 3 });
  same<typeof stream, ItemStream<{ id: number }, Total>>();
  for await (const row of stream) same<typeof row, { id: number }>();
  same<Awaited<typeof stream.result>, Total | undefined>();
  const items: AsyncIterable<{ id: number }> = mixed.stream("billing.tasks.rows", { to: 3 });
  const ended = safe(client.tasks.rows, { to: 3 });
  for await (const row of ended) same<typeof row, { id: number }>();
  const end = await ended.result;
  if (end.ok) same<typeof end.value, Total | undefined>();

  for await (const heard of client.subscribe(["billing.events.charged"], { onGap: ({ missed }) => void missed })) {
    same<typeof heard.payload, { amount: number }>();
  }
  await client.events.charged({ amount: 1 });
  await client.event("billing.events.charged", { amount: 1 });

  await using app = await run(shop);
  same<Awaited<ReturnType<typeof app.runTask<typeof checkout>>>, number>();
  void items;
}
