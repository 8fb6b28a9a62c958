/** Places one order, whose payment worker is killed after the money has moved and before its reply leaves. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpMixedClient } from "@bluelibs/runner/node";
import { openLedger } from "./ledger";
import { start } from "./processes";

const carrier = process.argv[2] === "nats" ? "nats" : "http";
const order = { id: "order-1", cents: 100 };
const folder = await mkdtemp(join(tmpdir(), "runner-orders-"));
const token = randomUUID();
const shared = { CARRIER: carrier, FOLDER: folder, TOKEN: token, NAMESPACE: `orders-${randomUUID().slice(0, 8)}` };

const dying = { ...shared, KILLED_BY: order.id, LEASE_MS: "1000" };
const workers = [await start("payments", dying), await start("payments", dying)];
const mailer = await start("mailer", shared);
const gateway = await start("gateway", {
  ...shared,
  PAYMENTS_URLS: workers.map(({ url }) => url).join(),
  MAILER_URL: String(mailer.url),
});

// The shop makes one call; only the pool or the broker client of the gateway may repeat the charge.
await using shop = createHttpMixedClient({ baseUrl: String(gateway.url), auth: { token } });
const receipt = await shop.task("gateway.tasks.place", order, { idempotencyKey: order.id, timeoutMs: 60_000 });
await shop.close();

const codes = await Promise.all([gateway, mailer, ...workers].map((service) => service.stop()));
const ledger = openLedger(folder);
const { paid, twice, repeats } = ledger.counts();
const isKept = ledger.pay(order).receipt === receipt;
ledger.close();
await rm(folder, { recursive: true });

const killed = codes.filter((code) => code === null).length;
console.log(`${carrier}: ${killed} worker was killed between the effect and its reply`);
console.log(`${paid} paid, ${twice} twice, found in the ledger: ${repeats}, answered with its receipt: ${isKept}`);
process.exitCode = paid === 1 && twice === 0 && isKept && killed === 1 ? 0 : 1;
