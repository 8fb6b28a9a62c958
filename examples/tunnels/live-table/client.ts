/** The page: the table as it is from a streamed task, and every order from then on from a subscription. */
import { createHttpClient } from "@bluelibs/runner";
import { listOrders, orderPlaced, placeOrder, type Order } from "./contract";

const client = createHttpClient({ baseUrl: "/__runner", auth: { token: "dev-secret" } });
const element = (selector: string) => document.querySelector(selector) as HTMLElement;
const rows = new Map<number, HTMLTableRowElement>();

/** An order may come from both: it has one row. */
function show({ id, item, placedAt }: Order): void {
  const row = rows.get(id) ?? (element("tbody") as HTMLTableSectionElement).insertRow();
  rows.set(id, row);
  row.replaceChildren(...[String(id), item, placedAt.toISOString()].map(cellOf));
}

function cellOf(text: string): HTMLTableCellElement {
  const cell = document.createElement("td");
  cell.textContent = text;
  return cell;
}

async function load(): Promise<void> {
  const orders = client.stream(listOrders);
  for await (const order of orders) show(order);
  element("#state").textContent = `live, ${await orders.result} loaded`;
}

async function follow(): Promise<void> {
  let isLoaded = false;
  const events = client.subscribe([orderPlaced], {
    // Listened to from here on: what is loaded now misses nothing.
    onOpen() {
      if (!isLoaded) void load();
      isLoaded = true;
    },
    // Some orders did not come: the table is loaded once more.
    onGap({ reason, missed }) {
      element("#note").textContent = `Missed ${missed ?? "some"} (${reason}), loaded again.`;
      void load();
    },
  });
  for await (const { payload } of events) show(payload);
}

element("form").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  const form = submitted.target as HTMLFormElement;
  void client.task(placeOrder, { item: String(new FormData(form).get("item")) });
  form.reset();
});

void follow();
