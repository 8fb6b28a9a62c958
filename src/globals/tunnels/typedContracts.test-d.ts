import { expectTypeOf } from "expect-type";
import type * as Billing from "../../__tests__/support/billingModule";
import {
  createHttpClient,
  r,
  safe,
  type HttpClient,
  type ITask,
  type ItemStream,
  type RunnerError,
  type definitions,
} from "../../index";
import { createHttpMixedClient, createHttpSmartClient, type MixedHttpClient } from "../../node/index";

type Paid = { paid: string; at: Date };
type Insufficient = RunnerError<{ missing: number }> & { readonly id: "billing.errors.insufficientFunds" };
const input = { amount: 1, at: "2026-01-01" };

// One task: its id is checked, callers pass what the schema accepts.
const charge = r.task.phantom.of<typeof Billing.charge>("billing.tasks.charge");
// @ts-expect-error -- the id is that of another task
r.task.phantom.of<typeof Billing.charge>("billing.tasks.ping");
// @ts-expect-error -- an event is no task
r.task.phantom.of<typeof Billing.charged>("billing.events.charged");

// One event; of an id that its type has lost, any id.
const charged = r.event.phantom.of<typeof Billing.charged>("billing.events.charged");
// @ts-expect-error -- the id is that of another event
r.event.phantom.of<typeof Billing.charged>("billing.events.written");
r.event.phantom.of<typeof Billing.written>("billing.events.written");

// Several: names and ids are checked.
const billing = r.tunnel
  .client<typeof Billing>("shop.billing")
  .tasks({ charge: "billing.tasks.charge" })
  .events({ charged: "billing.events.charged" })
  .http((config: { url: string; token: string }) => ({ baseUrl: config.url, auth: { token: config.token } }))
  .build();
r.resource("app").register([billing.with({ url: "http://x", token: "s" })]);
// @ts-expect-error -- it needs a config
r.resource("app").register([billing]);
// @ts-expect-error -- the tunnel was not told that name
void billing.tasks.ping;
// @ts-expect-error -- the id is that of another task
r.tunnel.client<typeof Billing>("x").tasks({ charge: "billing.tasks.ping" });
// @ts-expect-error -- the module exports no task of that name
r.tunnel.client<typeof Billing>("x").tasks({ charg: "billing.tasks.charge" });
// @ts-expect-error -- the annotation of the task has lost its id
r.tunnel.client<{ lost: ITask<number, Promise<number>> }>("x").tasks({ lost: "billing.tasks.lost" });
// A task whose calls may be repeated says so beside its id; what makes keys knows its input.
r.tunnel.client<typeof Billing>("x").tasks({ charge: { id: "billing.tasks.charge", idempotent: true } });
r.tunnel.client<typeof Billing>("x").tasks({
  charge: { id: "billing.tasks.charge", idempotent: { key: (given) => `${given.amount}` } },
});
// @ts-expect-error -- the id is that of another task
r.tunnel.client<typeof Billing>("x").tasks({ charge: { id: "billing.tasks.ping", idempotent: true } });
// @ts-expect-error -- a task that is not idempotent is named by its id
r.tunnel.client<typeof Billing>("x").tasks({ charge: { id: "billing.tasks.charge", idempotent: false } });
r.tunnel.client<typeof Billing>("x").tasks({
  // @ts-expect-error -- a key is text
  charge: { id: "billing.tasks.charge", idempotent: { key: (given) => given.amount } },
});
// @ts-expect-error -- streams have no keys
r.tunnel.client<typeof Billing>("x").tasks({ rows: { id: "billing.tasks.rows", streams: true, idempotent: true } });
// @ts-expect-error -- an exported function is no task
r.tunnel.client<typeof Billing>("x").tasks({ helper: "helper" });

r.task("shop.tasks.checkout")
  .dependencies({ charge: billing.tasks.charge, charged: billing.events.charged, one: charge })
  .run(async (_: void, deps) => {
    expectTypeOf(await deps.charge(input)).toEqualTypeOf<Paid>();
    expectTypeOf(await deps.one({ ...input, currency: "CHF" })).toEqualTypeOf<Paid>();
    await deps.charged({ amount: 1 });
    const got = await safe(deps.charge, input);
    if (got.ok) expectTypeOf(got.value).toEqualTypeOf<Paid>();
    else if (got.declared) expectTypeOf(got.error).toEqualTypeOf<Insufficient>();
    else expectTypeOf(got.error).toEqualTypeOf<Error>();
    // @ts-expect-error -- the amount is missing
    await safe(deps.charge, { at: "x" });
  });
r.task("x")
  .dependencies({ ping: r.task.phantom.of<typeof Billing.ping>("billing.tasks.ping") })
  .run(async (_: void, { ping }) => {
    expectTypeOf(await safe(ping)).toHaveProperty("ok");
  });

// A task that streams items is named as one, as nothing but its type says so; a task that does not cannot be.
type SafeItemStream<Item, Result, E> = definitions.SafeItemStream<Item, Result, E>;
type Row = { id: number; on: Date };
type Total = { total: number };
const rows = r.task.phantom.of<typeof Billing.rows>("billing.tasks.rows", { streams: true });
// @ts-expect-error -- it streams
r.task.phantom.of<typeof Billing.rows>("billing.tasks.rows");
// @ts-expect-error -- it streams
r.task.phantom.of<typeof Billing.rows>("billing.tasks.rows", { tags: [] });
// @ts-expect-error -- it does not stream
r.task.phantom.of<typeof Billing.charge>("billing.tasks.charge", { streams: true });
// @ts-expect-error -- it streams
r.tunnel.client<typeof Billing>("x").tasks({ rows: "billing.tasks.rows" });
// @ts-expect-error -- it does not stream
r.tunnel.client<typeof Billing>("x").tasks({ charge: { id: "billing.tasks.charge", streams: true } });
// @ts-expect-error -- the id is that of another task
r.tunnel.client<typeof Billing>("x").tasks({ rows: { id: "billing.tasks.row", streams: true } });
const streaming = r.tunnel
  .client<typeof Billing>("shop.rows")
  .tasks({ rows: { id: "billing.tasks.rows", streams: true }, ping: "billing.tasks.ping" })
  .http({ baseUrl: "http://x" })
  .build();
r.task("shop.tasks.read")
  .dependencies({ rows: streaming.tasks.rows, one: rows })
  .run(async (_: void, deps) => {
    // Callers pass what the schema accepts.
    expectTypeOf(deps.rows({ to: 1 })).toEqualTypeOf<ItemStream<Row, Total>>();
    expectTypeOf(deps.one({ to: 1, from: 1 })).toEqualTypeOf<ItemStream<Row, Total>>();
    const items = safe(deps.rows, { to: 1 });
    expectTypeOf(items).toEqualTypeOf<SafeItemStream<Row, Total, Insufficient>>();
    for await (const row of items) expectTypeOf(row).toEqualTypeOf<Row>();
    const got = await items.result;
    if (got.ok) expectTypeOf(got.value).toEqualTypeOf<Total | undefined>();
    else if (got.declared) expectTypeOf(got.error.data.missing).toBeNumber();
  });

// Without a container: by name, by id, by definition.
const baseUrl = "http://x";
const client = createHttpClient<typeof Billing>({ baseUrl, tasks: { charge: "billing.tasks.charge" } });
expectTypeOf(client.tasks.charge(input)).toEqualTypeOf<Promise<Paid>>();
expectTypeOf(client.tasks.ping()).toEqualTypeOf<Promise<string>>();
expectTypeOf(client.task("billing.tasks.charge", input)).toEqualTypeOf<Promise<Paid>>();
expectTypeOf(client.task(charge, input)).toEqualTypeOf<Promise<Paid>>();
expectTypeOf(client.event("billing.events.charged", { amount: 1 })).toEqualTypeOf<Promise<void>>();
expectTypeOf(client.event(charged, { amount: 1 })).toEqualTypeOf<Promise<void>>();
expectTypeOf(client.events.written({ note: "x" })).toEqualTypeOf<Promise<void>>();
// @ts-expect-error -- no task of the module has that id
void client.task("billing.tasks.chrge", input);
// @ts-expect-error -- an id that is just a string is not known to be one
void client.task("billing" as string, input);
// @ts-expect-error -- the schema takes a text
void client.tasks.charge({ amount: 1, at: new Date() });
void client.safe(charge, input).then((got) => {
  if (!got.ok && got.declared && got.error.id === "billing.errors.insufficientFunds") {
    expectTypeOf(got.error.data.missing).toBeNumber();
  }
});
void client.safe("billing.tasks.charge", input).then((got) => {
  if (!got.ok && got.declared) expectTypeOf(got.error).toEqualTypeOf<Insufficient>();
});
expectTypeOf(
  createHttpMixedClient<typeof Billing>({ baseUrl, tasks: { ping: "billing.tasks.ping" } }).tasks.ping(),
).toEqualTypeOf<Promise<string>>();
expectTypeOf(
  createHttpSmartClient<typeof Billing>({ baseUrl, tasks: { ping: "billing.tasks.ping" } }).tasks.ping(),
).toEqualTypeOf<Promise<string>>();

// Streams: by name, by id, by definition.
const streams = createHttpClient<typeof Billing>({
  baseUrl,
  tasks: { rows: { id: "billing.tasks.rows", streams: true } },
});
expectTypeOf(streams.tasks.rows({ to: 1 }, { timeoutMs: 1 })).toEqualTypeOf<ItemStream<Row, Total>>();
expectTypeOf(streams.stream("billing.tasks.rows", { to: 1 })).toEqualTypeOf<ItemStream<Row, Total>>();
expectTypeOf(streams.stream(rows, { to: 1 })).toEqualTypeOf<ItemStream<Row, Total>>();
expectTypeOf(safe(streams.tasks.rows, { to: 1 })).toEqualTypeOf<SafeItemStream<Row, Total, Insufficient>>();
// @ts-expect-error -- its text is not a number
streams.stream("billing.tasks.rows", { to: "1" });
// @ts-expect-error -- the task does not stream
streams.stream("billing.tasks.charge", input);
// @ts-expect-error -- the task streams
void streams.task("billing.tasks.rows", { to: 1 });
// @ts-expect-error -- the task streams
void streams.task(rows, { to: 1 });
// @ts-expect-error -- the task streams
void streams.safe(rows, { to: 1 });
// @ts-expect-error -- it streams
createHttpClient<typeof Billing>({ baseUrl, tasks: { rows: "billing.tasks.rows" } });
// What is called by name says what it throws.
void safe(client.tasks.charge, input).then((got) => {
  if (!got.ok && got.declared) expectTypeOf(got.error).toEqualTypeOf<Insufficient>();
});

// Clients without a type argument are as before.
expectTypeOf(createHttpClient({ baseUrl })).toEqualTypeOf<HttpClient>();
expectTypeOf<ReturnType<typeof createHttpMixedClient>>().toEqualTypeOf<MixedHttpClient>();
