import { definitions as streamed, echo, endless, failing, seen, sold } from "../integration/streams/streamDefinitions";
import { duplex, gather } from "../integration/streams/itemInputDefinitions";
import { audited, placed } from "../integration/subscriptions/subscriptionDefinitions";
import { token, type TestExposure } from "../support/exposure";
import { addressOf, startSubscriptions } from "../support/subscriptionServer";
import { until } from "../support/turns";
import { openBrowserPage, type BrowserPage, type PageGlobals } from "./openBrowserPage";

/** Exists in the page only. */
declare const runner: PageGlobals;
/** What a page of these tests keeps between two steps. */
declare const kept: { heard: unknown[]; gaps: unknown[]; opened: number };

let browser: BrowserPage;
/** Of another origin than the page. */
let exposure: TestExposure;
let config: { baseUrl: string; auth: { token: string } };

beforeAll(async () => {
  browser = await openBrowserPage();
  exposure = await startSubscriptions(
    { subscribable: [placed], callable: [...streamed, gather, duplex, audited] },
    { cors: { origin: [browser.origin], allowedHeaders: ["x-runner-token", "content-type"] } },
    [sold],
  );
  config = { baseUrl: addressOf(exposure), auth: { token } };
}, 30_000);

afterAll(async () => {
  await exposure?.[Symbol.asyncDispose]();
  await browser?.[Symbol.asyncDispose]();
}, 30_000);

beforeEach(() => void seen.splice(0));
afterEach(() => expect(browser.pageErrors).toEqual([]));

it("a page reads items of every type from another origin, and what their task returns", async () => {
  const read = await browser.page.evaluate(
    async ({ id, clientConfig }) => {
      const client = runner.createHttpClient(clientConfig);
      const values = [undefined, "a\nb", new Date(0), new Map([[1, new Set(["x"])]]), 10n];
      const stream = client.stream<unknown, unknown, unknown[]>(id, values);
      const items: unknown[] = [];
      for await (const item of stream) items.push(item);
      const describe = (all: readonly unknown[]) => all.map((each) => Object.prototype.toString.call(each));
      return { items: describe(items), result: describe((await stream.result) ?? []) };
    },
    { id: echo.id, clientConfig: config },
  );

  const expected = ["[object Undefined]", "[object String]", "[object Date]", "[object Map]", "[object BigInt]"];
  expect(read).toEqual({ items: expected, result: expected });
});

it("a page that leaves the loop ends the task", async () => {
  const items = await browser.page.evaluate(
    async ({ id, clientConfig }) => {
      const read: unknown[] = [];
      for await (const item of runner.createHttpClient(clientConfig).stream(id)) if (read.push(item) === 3) break;
      return read;
    },
    { id: endless.id, clientConfig: config },
  );

  expect(items).toEqual([0, 1, 2]);
  await until(() => seen.length === 2);
  expect(seen).toEqual(["aborted", "finally"]);
});

it("a page is told the declared error that ends a stream after items", async () => {
  const outcome = await browser.page.evaluate(
    async ({ id, soldId, clientConfig }) => {
      const gone = runner.r.error<{ count: number }>(soldId).build();
      const client = runner.createHttpClient({ ...clientConfig, errorRegistry: new Map([[soldId, gone]]) });
      const items: unknown[] = [];
      try {
        for await (const item of client.stream(id, { after: 2, how: "declared" })) items.push(item);
      } catch (error) {
        if (gone.is(error)) return { items, data: error.data };
      }
      return { items };
    },
    { id: failing.id, soldId: sold.id, clientConfig: config },
  );

  expect(outcome).toEqual({ items: [0, 1], data: { count: 2 } });
});

it("a page cannot send items, which it is told before anything is sent", async () => {
  const codes = await browser.page.evaluate(
    async ({ ids, clientConfig }) => {
      const client = runner.createHttpClient(clientConfig);
      const codeOf = (error: unknown) => (error as { code?: unknown }).code;
      const stream = client.stream(ids.duplex, {}, { items: [1] })[Symbol.asyncIterator]();
      return {
        task: await client.task(ids.gather, 1, { items: [1] }).catch(codeOf),
        stream: await stream.next().catch(codeOf),
      };
    },
    { ids: { gather: gather.id, duplex: duplex.id }, clientConfig: config },
  );

  expect(codes).toEqual({ task: "ITEMS_UNSUPPORTED", stream: "ITEMS_UNSUPPORTED" });
});

it("a page goes on listening after its connections were cut, and is refused what it may only emit", async () => {
  const { page } = browser;
  await page.evaluate(
    ({ id, clientConfig }) => {
      Object.assign(window, { kept: { heard: [], gaps: [], opened: 0 } });
      const events = runner.createHttpClient(clientConfig).subscribe([id], {
        onOpen: () => void (kept.opened += 1),
        onGap: (gap) => void kept.gaps.push(gap),
      });
      void (async () => {
        for await (const { payload } of events) kept.heard.push(payload);
      })();
    },
    { id: placed.id, clientConfig: config },
  );
  await page.waitForFunction(() => kept.opened === 1);

  await exposure.app.emitEvent(placed, { order: 1 });
  exposure.handlers.server?.closeAllConnections();
  await exposure.app.emitEvent(placed, { order: 2 });
  await page.waitForFunction(() => kept.heard.length === 2);
  const refused = await page.evaluate(
    async ({ id, clientConfig }) => {
      const events = runner.createHttpClient(clientConfig).subscribe([id])[Symbol.asyncIterator]();
      return events.next().catch((error: unknown) => (error as { code?: unknown }).code);
    },
    { id: audited.id, clientConfig: config },
  );

  expect(await page.evaluate(() => kept)).toEqual({ heard: [{ order: 1 }, { order: 2 }], gaps: [], opened: 2 });
  expect(refused).toBe("FORBIDDEN");
});
