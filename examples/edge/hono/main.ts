import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { Hono } from "hono";
import { fetchExposure, run } from "@bluelibs/runner";
import { shop } from "../shop";

const app = await run(shop.with({ token: "dev-secret" }));
const edge = app.getResourceValue(fetchExposure);

const web = new Hono();
web.get("/", (c) => c.text("a page of Hono"));
web.all(`${edge.basePath}/*`, (c) => edge.fetch(c.req.raw, { remoteAddress: getConnInfo(c).remote.address }));

serve({ fetch: web.fetch, hostname: "127.0.0.1", port: Number(process.env["PORT"] ?? 7070) }, ({ port }) =>
  console.log(`ready http://127.0.0.1:${port}`),
);
