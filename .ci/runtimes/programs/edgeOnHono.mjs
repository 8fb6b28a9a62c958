/** Serves the application of the fetch edge in Node, by a server of Hono beside other routes. */
import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { Hono } from "hono";
import { startEdge } from "../../../src/__tests__/edge/edgeApp";

void startEdge().then(({ edge }) => {
  const app = new Hono();
  app.all("/__runner/*", (c) => edge.fetch(c.req.raw, { remoteAddress: getConnInfo(c).remote.address }));
  serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) =>
    console.log(`ready http://127.0.0.1:${port}`),
  );
});
