/** The server process: real tasks, a list of those that may be called, and an HTTP exposure. */
import { r } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";
import { z } from "zod";
import { outOfStock, requestInfo, type Order, type Snapshot } from "./contract";

const add = r
  .task("calc.add")
  .run(async ({ a, b }: { a: number; b: number }) => a + b)
  .build();

const echo = r
  .task("shop.echo")
  .run(async (snapshot: Snapshot) => snapshot)
  .build();

const stock = new Map([["tea", 2]]);

const order = r
  .task("shop.order")
  .inputSchema(z.object({ sku: z.string(), quantity: z.number().int().positive() }))
  .throws([outOfStock])
  .run(async ({ sku, quantity }: Order) => {
    const left = stock.get(sku) ?? 0;
    if (quantity > left) outOfStock.throw({ sku, left });
    return { sku, quantity, orderedBy: requestInfo.use().requestId };
  })
  .build();

const secret = r
  .task("shop.secret")
  .run(async () => "nobody outside may ask for this")
  .build();

/** Nothing is reachable that is not listed here. */
const reachable = r.tunnel.server("shop.tunnels.reachable").tasks([add, echo, order]).build();

const exposure = nodeExposure.with({
  http: {
    basePath: "/__runner",
    listen: { port: Number(process.env.RUNNER_PORT ?? 0) },
    auth: { token: process.env.RUNNER_TOKEN ?? "" },
  },
});

const app = r
  .resource("shop.server")
  .register([add, echo, order, secret, outOfStock, requestInfo, reachable, exposure])
  .dependencies({ exposure: nodeExposure })
  .init(async (_config, { exposure }) => {
    const address = exposure.server?.address();
    if (typeof address !== "object" || address === null) throw new Error("The exposure is not listening.");
    return { baseUrl: `http://127.0.0.1:${address.port}${exposure.basePath}` };
  })
  .build();

const { value } = await run(app, { logs: { printThreshold: null } });
process.send?.(value);
// Whoever started this process has gone, or has no more use for it: SIGTERM disposes of the run.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
