/** The serving side: a streamed task for the table as it is, an event for what comes, and the page itself. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { r } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";
import { listOrders, orderPlaced, placeOrder, type Order } from "./contract";

/** In the place of a database, which outlasts the server. */
export type Orders = Order[];

const list = (orders: Orders) =>
  r
    .task(listOrders.id)
    .stream(async function* () {
      yield* orders;
      return orders.length;
    })
    .build();

const place = (orders: Orders) =>
  r
    .task(placeOrder.id)
    .dependencies({ orderPlaced })
    .run(async ({ item }: { item: string }, { orderPlaced }) => {
      const order: Order = { id: orders.length + 1, item, placedAt: new Date() };
      orders.push(order);
      await orderPlaced(order);
      return order;
    })
    .build();

const html = `<!doctype html>
<title>Orders</title>
<link rel="icon" href="data:," />
<p>The table is <b id="state">loading</b>. <span id="note"></span></p>
<form><input name="item" required /> <button>Order</button></form>
<table><tbody></tbody></table>
<script type="module" src="/client.js"></script>`;

/** One port for the page and what it calls. */
const web = (port: number) =>
  r
    .resource<void>("shop.web")
    .dependencies({ exposure: nodeExposure })
    .init(async (_config, { exposure }) => {
      const script = await bundle();
      const server = createServer((request, response) => {
        if (request.url === "/client.js") response.setHeader("content-type", "text/javascript").end(script);
        else if (request.url === "/") response.setHeader("content-type", "text/html").end(html);
        else response.writeHead(404).end();
      });
      exposure.attachTo(server);
      await once(server.listen(port, "127.0.0.1"), "listening");
      return server;
    })
    .dispose(async (server) => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    })
    .build();

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ["examples/tunnels/live-table/client.ts"],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
  });
  return String(outputFiles[0]?.text);
}

export async function startServer({ port = 0, orders = [] }: { port?: number; orders?: Orders } = {}) {
  const [listing, placing, page] = [list(orders), place(orders), web(port)];
  const open = r.tunnel.server("shop.tunnels.open").tasks([listing, placing]).subscribable([orderPlaced]).build();
  const exposure = nodeExposure.with({ http: { auth: { token: "dev-secret" }, drain: { quietMs: 0 } } });
  const app = r.resource("shop").register([orderPlaced, listing, placing, open, exposure, page]).build();
  const running = await run(app, { logs: { printThreshold: null }, shutdownHooks: true });
  const server = running.getResourceValue(page);
  return {
    port: (server.address() as AddressInfo).port,
    /** As if a proxy in between had been restarted. */
    cutConnections: () => server.closeAllConnections(),
    [Symbol.asyncDispose]: () => running.dispose(),
  };
}
