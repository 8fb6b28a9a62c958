/** One page of a shop: twenty small calls, in one request. */
import { createHttpMixedClient, globals, nodeExposure, r, run } from "@bluelibs/runner/node";

const auth = { token: "dev-secret" };
const soldOut = r
  .error<{ sku: string }>("shop.errors.soldOut")
  .format(({ sku }) => `${sku} is sold out`)
  .build();

const price = r
  .task("shop.tasks.price")
  .run(async (sku: string) => {
    if (sku === "tea-13") throw soldOut.create({ sku });
    return Number(sku.slice("tea-".length)) * 10;
  })
  .build();

const tunnel = r
  .resource("shop.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ transport: "http" as const, mode: "server" as const, tasks: [price.id] }))
  .build();

const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth } });
const shop = r.resource("shop").register([price, soldOut, tunnel, exposure]).build();
await using app = await run(shop, { logs: { printThreshold: null } });

let requests = 0;
const { url, server } = app.getResourceValue(nodeExposure);
server?.on("request", () => (requests += 1));

const errorRegistry = new Map([[soldOut.id, soldOut]]);
await using client = createHttpMixedClient({ baseUrl: url, auth, errorRegistry, batch: true });

const skus = Array.from({ length: 20 }, (_, index) => `tea-${index + 1}`);
const prices = await Promise.all(skus.map((sku) => client.safe(price, sku)));

const known = prices.flatMap((each) => (each.ok ? [each.value] : []));
console.log(`${known.length} prices, the last one is ${known.at(-1)}`);
for (const each of prices) if (!each.ok) console.log(each.error.message);
console.log(`${prices.length} calls in ${requests} request`);
