import { openBrowser, type Browser } from "../../../src/__tests__/support/browser";
import type { Order } from "./contract";
import { startServer } from "./server";

const order = (id: number, item: string): Order => ({ id, item, placedAt: new Date(Date.UTC(2026, 0, id)) });

async function openTable(orders: Order[]) {
  const first = await startServer({ orders });
  const { port } = first;
  const browser: Browser = await openBrowser();
  const { page } = browser;
  await page.goto(`http://127.0.0.1:${port}`);
  let running = first;
  return {
    page,
    pageErrors: browser.pageErrors,
    get server() {
      return running;
    },
    stop: () => running[Symbol.asyncDispose](),
    start: async () => void (running = await startServer({ port, orders })),
    place: async (item: string) => {
      await page.fill("input", item);
      await page.click("button");
    },
    /** The items of the table, once it has so many rows. */
    items: async (count: number) => {
      await page.waitForFunction((wanted) => document.querySelectorAll("tr").length === wanted, count);
      return page.$$eval("tr td:nth-child(2)", (cells) => cells.map(({ textContent }) => textContent));
    },
    note: () => page.textContent("#note"),
    async [Symbol.asyncDispose]() {
      await browser[Symbol.asyncDispose]();
      await running[Symbol.asyncDispose]();
    },
  };
}

it("a page renders the rows of a streamed task, and those that are announced afterwards", async () => {
  await using table = await openTable([order(1, "tea"), order(2, "milk")]);
  expect(await table.items(2)).toEqual(["tea", "milk"]);

  await table.place("sugar");

  expect(await table.items(3)).toEqual(["tea", "milk", "sugar"]);
  expect(await table.page.textContent("#state")).toBe("live, 2 loaded");
  expect(await table.page.textContent("tr td:nth-child(3)")).toBe("2026-01-01T00:00:00.000Z");
}, 60_000);

it("a page goes on after its connections were cut, without a gap", async () => {
  await using table = await openTable([order(1, "tea")]);
  await table.items(1);

  table.server.cutConnections();
  await table.place("milk");
  table.server.cutConnections();
  await table.place("sugar");

  expect(await table.items(3)).toEqual(["tea", "milk", "sugar"]);
  expect(await table.note()).toBe("");
}, 60_000);

it("a page whose server was restarted says that it may have missed something, and shows all there is", async () => {
  const orders = [order(1, "tea")];
  await using table = await openTable(orders);
  await table.items(1);

  await table.stop();
  orders.push(order(2, "milk"));
  await table.start();

  expect(await table.items(2)).toEqual(["tea", "milk"]);
  expect(await table.note()).toBe("Missed some (unknown), loaded again.");
  await table.place("sugar");
  expect(await table.items(3)).toEqual(["tea", "milk", "sugar"]);
  expect(table.pageErrors).toEqual([]);
}, 60_000);
