/** Places 2,000 orders while payment workers and the mailer are killed, and counts what came of them. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createHttpMixedClient } from "@bluelibs/runner/node";
import type { Order } from "./contract";
import { openLedger } from "./ledger";
import { openMails } from "./mails";
import { start, type Service } from "./processes";

const carrier = process.argv[2] === "nats" ? "nats" : "http";
const orderCount = 2_000;
const callers = 64;
/** After how many orders which service is killed. */
const kills: readonly (readonly [number, keyof typeof running])[] = [
  [200, "payments1"],
  [500, "payments2"],
  [700, "mailer"],
  [1_000, "payments1"],
  [1_300, "mailer"],
];

const folder = await mkdtemp(join(tmpdir(), "runner-orders-"));
const token = randomUUID();
const shared = { CARRIER: carrier, FOLDER: folder, TOKEN: token, NAMESPACE: `orders-${randomUUID().slice(0, 8)}` };

const running = {
  payments1: await start("payments", shared),
  payments2: await start("payments", shared),
  mailer: await start("mailer", shared),
};
const gateway = await start("gateway", {
  ...shared,
  PAYMENTS_URLS: `${running.payments1.url},${running.payments2.url}`,
  MAILER_URL: String(running.mailer.url),
});

/** Kills a service without a warning, and starts it again where it was. */
async function killAndStart(name: keyof typeof running): Promise<void> {
  const { url, kill } = running[name];
  await kill();
  const port = url === undefined ? "0" : new URL(url).port;
  running[name] = await start(name.replace(/\d/, ""), { ...shared, PORT: port });
}

await using shop = createHttpMixedClient({ baseUrl: String(gateway.url), auth: { token } });
let [begun, placed, repeated] = [0, 0, 0];
let restarts = Promise.resolve();

/** A customer who presses the button until the order is placed: the key makes all of it one call. */
async function place(order: Order): Promise<void> {
  for (;;) {
    try {
      await shop.task("gateway.tasks.place", order, { idempotencyKey: order.id, timeoutMs: 60_000 });
      break;
    } catch {
      repeated += 1;
      await delay(100);
    }
  }
  placed += 1;
  for (const [after, name] of kills) if (placed === after) restarts = restarts.then(() => killAndStart(name));
}

async function placeOrders(): Promise<void> {
  while (begun < orderCount) {
    const number = (begun += 1);
    await place({ id: `order-${number}`, cents: 100 + number });
  }
}
await Promise.all(Array.from({ length: callers }, placeOrders));
await restarts;

const ledger = openLedger(folder);
const mails = openMails(folder);
// Over a broker the last mails may still be on their way.
for (let left = 600; left > 0 && mails.counts().mailed < orderCount; left -= 1) await delay(100);

const n = (count: number): string => count.toLocaleString("en-US");
const { paid, twice, cents, repeats } = ledger.counts();
const mailed = mails.counts();
console.log(`${carrier}: ${kills.length} services were killed`);
console.log(
  `${n(placed)} placed, ${n(paid)} paid, ${n(twice)} twice, ` +
    `${n(mailed.mailed)} mails, ${n(orderCount - mailed.mailed)} lost, ${n(mailed.twice)} twice`,
);
console.log(`repeated by customers: ${n(repeated)}, by others and found in the ledger: ${n(repeats)}`);

ledger.close();
mails.close();
await shop.close();
const services: readonly Service[] = [gateway, ...Object.values(running)];
const codes = await Promise.all(services.map((service) => service.stop()));
await rm(folder, { recursive: true });
const wantedCents = (orderCount * (orderCount + 1)) / 2 + 100 * orderCount;
const isRight = paid === orderCount && twice === 0 && cents === wantedCents && mailed.mailed === orderCount;
process.exitCode = isRight && codes.every((code) => code === 0) ? 0 : 1;
