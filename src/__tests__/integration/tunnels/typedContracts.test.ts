import ts from "typescript";
import { createHttpClient, Errors, r, run, safe } from "../../../index";
import { createHttpMixedClient, createHttpSmartClient } from "../../../node/index";
import type * as Billing from "../../support/billingModule";
import * as server from "../../support/billingModule";
import { startExposure, token } from "../../support/exposure";
import { collect } from "../streams/streamDefinitions";

const urlOf = ({ port }: { port: number }): string => `http://127.0.0.1:${port}/__runner`;
const quiet = { shutdownHooks: false, logs: { printThreshold: null } } as const;
const noted: string[] = [];
const note = r
  .hook("billing.hooks.note")
  .on(server.charged)
  .run(async ({ data }) => void noted.push(`${data.amount}`))
  .build();

const items = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ id: from + index, on: new Date(0) }));
const serve = () =>
  startExposure([server.charge, server.ping, server.rows, server.charged], {}, [server.insufficientFunds, note]);

describe.each([
  ["createHttpClient", createHttpClient],
  ["createHttpSmartClient", createHttpSmartClient],
  ["createHttpMixedClient", createHttpMixedClient],
] as const)("a typed client made by %s", (_name, create) => {
  it("calls tasks by name, by id and by definition, and leaves defaults to the server", async () => {
    await using billing = await serve();
    const names = { charge: "billing.tasks.charge", ping: "billing.tasks.ping" } as const;
    await using client = create<typeof Billing>({ baseUrl: urlOf(billing), auth: { token }, tasks: names });
    const charge = r.task.phantom.of<typeof Billing.charge>("billing.tasks.charge");
    const input = { amount: 5, at: "2026-01-02T00:00:00.000Z" };
    const paid = { paid: "5 EUR", at: new Date(input.at) };

    expect(await client.tasks.ping()).toBe("pong");
    expect(await client.tasks.charge(input)).toEqual(paid);
    expect(await client.task("billing.tasks.charge", input)).toEqual(paid);
    expect(await client.task(charge, input)).toEqual(paid);
  });

  it("resolves to declared errors, and to others as such, with safe", async () => {
    await using billing = await serve();
    await using client = create<typeof Billing>({ baseUrl: urlOf(billing), auth: { token } });

    const declared = await client.safe("billing.tasks.charge", { amount: 107, at: "2026-01-02" });
    const invalid = await client.safe("billing.tasks.charge", { amount: 1, at: "never" });
    const fine = await client.safe("billing.tasks.ping");

    expect(declared).toMatchObject({ ok: false, declared: true, error: { data: { missing: 7 } } });
    expect(declared.error).toMatchObject({ id: "billing.errors.insufficientFunds" });
    expect(invalid).toMatchObject({ ok: false, declared: false, error: { code: "VALIDATION_ERROR" } });
    expect(fine).toEqual({ ok: true, value: "pong" });
  });
});

describe.each([
  ["createHttpClient", createHttpClient],
  ["createHttpMixedClient", createHttpMixedClient],
] as const)("a typed client made by %s", (_name, create) => {
  it("gives the items of a streamed task by name, by id and by definition", async () => {
    await using billing = await serve();
    const names = { rows: { id: "billing.tasks.rows", streams: true } } as const;
    await using client = create<typeof Billing>({ baseUrl: urlOf(billing), auth: { token }, tasks: names });
    const rows = r.task.phantom.of<typeof Billing.rows>("billing.tasks.rows", { streams: true });

    const byName = client.tasks.rows({ to: 2 });

    expect(await collect(byName)).toEqual(items(1, 2));
    expect(await byName.result).toEqual({ total: 2 });
    expect(await collect(client.stream("billing.tasks.rows", { to: 1 }))).toEqual(items(1, 1));
    expect(await collect(client.stream(rows, { from: 3, to: 4 }))).toEqual(items(3, 4));
  });

  it("ends a stream that fails, read with safe, where it fails, and says with which declared error", async () => {
    await using billing = await serve();
    const names = { rows: { id: "billing.tasks.rows", streams: true } } as const;
    await using client = create<typeof Billing>({ baseUrl: urlOf(billing), auth: { token }, tasks: names });

    const failing = safe(client.tasks.rows, { from: 99, to: 102 });
    const refused = safe(client.tasks.rows, { to: "many" } as never);
    const left = safe(client.tasks.rows, { to: 100 });
    const whole = safe(client.tasks.rows, { to: 1 });

    expect(await collect(failing)).toEqual(items(99, 100));
    expect(await failing.result).toMatchObject({
      ok: false,
      declared: true,
      error: { id: "billing.errors.insufficientFunds", data: { missing: 1 } },
    });
    expect(await collect(refused)).toEqual([]);
    expect(await refused.result).toMatchObject({ ok: false, declared: false, error: { code: "VALIDATION_ERROR" } });
    for await (const row of left) if (row.id === 2) break;
    expect(await left.result).toEqual({ ok: true, value: undefined });
    expect(await collect(whole)).toEqual(items(1, 1));
    expect(await whole.result).toEqual({ ok: true, value: { total: 1 } });
  });
});

it("a name of a typed client without an id is refused", () => {
  const nameless = { rows: { streams: true } } as never;

  expect(() => createHttpClient<typeof Billing>({ baseUrl: "http://127.0.0.1:1", tasks: nameless })).toThrow(
    'tasks of a client are names and ids, and "rows" has no id.',
  );
});

it("a name that a typed client was not given is refused with its fix", async () => {
  await using client = createHttpClient<typeof Billing>({ baseUrl: "http://127.0.0.1:1", tasks: {} });

  expect(() => client.tasks.ping).toThrow('fix: give it by name: tasks: { ping: "<its id>" }.');
  expect(await Promise.resolve(client.tasks)).toBe(client.tasks);
});

it("a typed client tunnel registers what it names, routes it, and hands errors and events across", async () => {
  await using billing = await serve();
  const toBilling = r.tunnel
    .client<typeof Billing>("shop.billing")
    .tasks({ charge: "billing.tasks.charge" })
    .events({ charged: "billing.events.charged" })
    .http((config: { url: string; token: string }) => ({ baseUrl: config.url, auth: { token: config.token } }))
    .build();
  const checkout = r
    .task("shop.tasks.checkout")
    .dependencies({ charge: toBilling.tasks.charge, charged: toBilling.events.charged })
    .run(async (amount: number, { charge, charged }) => {
      await charged({ amount });
      return safe(charge, { amount, at: "2026-01-02" });
    })
    .build();
  const shop = r
    .resource("shop")
    .register([checkout, toBilling.with({ url: urlOf(billing), token })])
    .build();
  await using app = await run(shop, quiet);

  const paid = await app.runTask(checkout, 3);
  const refused = await app.runTask(checkout, 101);

  expect(paid).toMatchObject({ ok: true, value: { paid: "3 EUR" } });
  // The helper is not registered here: id and data are there all the same.
  expect(refused).toMatchObject({ ok: false, declared: true, error: { id: "billing.errors.insufficientFunds" } });
  expect(noted).toEqual(["3", "101"]);
  expect(app.topology.routed.map(({ id }) => id)).toEqual(["billing.events.charged", "billing.tasks.charge"]);
});

it("a typed client tunnel streams what it names as streamed, with the errors of the task for safe", async () => {
  await using billing = await serve();
  const toBilling = r.tunnel
    .client<typeof Billing>("shop.billing")
    .tasks({ rows: { id: "billing.tasks.rows", streams: true } })
    .http({ baseUrl: urlOf(billing), auth: { token } })
    .build();
  const read = r
    .task("shop.tasks.read")
    .dependencies({ rows: toBilling.tasks.rows })
    .run(async (to: number, { rows }) => {
      const stream = safe(rows, { from: 99, to });
      return { ids: (await collect(stream)).map(({ id }) => id), end: await stream.result };
    })
    .build();
  await using app = await run(r.resource("shop").register([read, toBilling]).build(), quiet);

  expect(await app.runTask(read, 99)).toEqual({ ids: [99], end: { ok: true, value: { total: 1 } } });
  expect(await app.runTask(read, 101)).toMatchObject({ ids: [99, 100], end: { declared: true } });
});

it("a streamed task that its caller takes for a plain one, or a plain one taken for streamed, fails and says so", async () => {
  await using billing = await serve();
  // As where the types are not checked.
  const names = { rows: "billing.tasks.rows", ping: { id: "billing.tasks.ping", streams: true } } as never;
  await using client = createHttpClient<typeof Billing>({ baseUrl: urlOf(billing), auth: { token }, tasks: names });

  const plain = await safe(client.tasks.rows as unknown as () => Promise<unknown>);
  const streamed = safe(client.tasks.ping as unknown as () => ReturnType<typeof client.tasks.rows>);

  expect(plain).toMatchObject({ ok: false, error: { code: "NOT_ACCEPTABLE" } });
  expect(await collect(streamed)).toEqual([]);
  expect(await streamed.result).toMatchObject({ ok: false, error: { code: "NOT_A_STREAM" } });
});

it("a streamed remote task that no tunnel routes fails its loop with taskNotRouted", async () => {
  const rows = r.task.phantom.of<typeof Billing.rows>("billing.tasks.rows", { streams: true });
  await using app = await run(r.resource("app").register([rows]).build(), quiet);

  const stream = safe((input: { to: number }) => app.runTask(rows, input), { to: 1 });

  expect(await collect(stream)).toEqual([]);
  expect(await stream.result).toMatchObject({ ok: false, error: { data: { taskId: "billing.tasks.rows" } } });
});

it("a remote task that no tunnel routes fails with taskNotRouted instead of resolving to undefined", async () => {
  const ping = r.task.phantom.of<typeof Billing.ping>("billing.tasks.ping");
  await using app = await run(r.resource("app").register([ping]).build(), quiet);

  const error: unknown = await app.runTask(ping).catch((thrown: unknown) => thrown);

  expect(Errors.taskNotRoutedError.is(error) && error.data).toEqual({ taskId: "billing.tasks.ping" });
});

it("the JavaScript of a typed caller names no module of the server", () => {
  const source = `import type * as Billing from "@acme/billing/tasks";
    import { r } from "@bluelibs/runner";
    export const billing = r.tunnel.client<typeof Billing>("shop.billing").tasks({ ping: "billing.tasks.ping" });`;

  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
  });

  expect(outputText).toContain('from "@bluelibs/runner"');
  expect(outputText).not.toContain("@acme");
});
