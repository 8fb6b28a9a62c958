import { createHttpClient, r, run, safe, type ItemStream } from "@bluelibs/runner";
import { createHttpMixedClient } from "@bluelibs/runner/node";
import type * as Billing from "./billing";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Does not compile unless the value is of just that type. */
const is =
  <B>() =>
  <A>(_value: A, ..._proof: Equal<A, B> extends true ? [] : ["these types differ"]): void => {};

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
    is<Paid>()(await deps.charge(input));
    await deps.charged({ amount });
    await deps.importRows({ table: "rows" }, { items: [{ id: 1 }] });
    for await (const row of deps.rows({ to: 1 })) is<{ id: number }>()(row);
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
  is<Paid>()(await client.tasks.charge(input));
  const byId = await client.task("billing.tasks.charge", input, { idempotencyKey: "k1", timeoutMs: 1_000 });
  is<Paid>()(byId);
  const byDefinition = await mixed.task(charge, input);
  is<Paid>()(byDefinition);
  const imported = await mixed.task("billing.tasks.importRows", { table: "rows" }, { items: [{ id: 1 }] });
  is<{ table: string; count: number }>()(imported);
  const outcome = await client.safe(charge, input);
  if (outcome.ok) is<Paid>()(outcome.value);

  const stream = client.tasks.rows({ to: 3 });
  is<ItemStream<{ id: number }, Total>>()(stream);
  for await (const row of stream) is<{ id: number }>()(row);
  is<Total | undefined>()(await stream.result);
  const items: AsyncIterable<{ id: number }> = mixed.stream("billing.tasks.rows", { to: 3 });
  const ended = safe(client.tasks.rows, { to: 3 });
  for await (const row of ended) is<{ id: number }>()(row);
  const end = await ended.result;
  if (end.ok) is<Total | undefined>()(end.value);

  for await (const heard of client.subscribe(["billing.events.charged"], { onGap: ({ missed }) => void missed })) {
    is<{ amount: number }>()(heard.payload);
  }
  await client.events.charged({ amount: 1 });
  await client.event("billing.events.charged", { amount: 1 });

  await using app = await run(shop);
  is<number>()(await app.runTask(checkout, 1));
  void items;
}
