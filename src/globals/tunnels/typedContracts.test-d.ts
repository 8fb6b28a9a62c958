import { expectTypeOf } from "expect-type";
import type * as Billing from "../../__tests__/support/billingModule";
import { createHttpClient, r, safe, type HttpClient, type RunnerError } from "../../index";
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

// Clients without a type argument are as before.
expectTypeOf(createHttpClient({ baseUrl })).toEqualTypeOf<HttpClient>();
expectTypeOf<ReturnType<typeof createHttpMixedClient>>().toEqualTypeOf<MixedHttpClient>();
