import { serve } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { ours } from "../lib/ours.mjs";

/** One task behind a server of Hono: handed on as a request of the web, or as those of Node. */
export async function start({ kind }) {
  const { r, run, fetchExposure, nodeExposure } = await ours("node/index.js");
  const exposure = kind === "fetch" ? fetchExposure : nodeExposure;
  const add = r
    .task("add")
    .run(async ({ a, b }) => a + b)
    .build();
  const server = r.tunnel.server("bench.server").tasks([add]).build();
  const app = await run(
    r
      .resource("bench")
      .register([add, server, exposure.with({ http: { auth: { token: "t" } } })])
      .build(),
    { logs: { printThreshold: null } },
  );
  const edge = app.getResourceValue(exposure);
  const web = new Hono();
  web.all("/__runner/*", async (c) => {
    if (kind === "fetch") return edge.fetch(c.req.raw);
    await edge.handleRequest(c.env.incoming, c.env.outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  const port = await new Promise((resolve) =>
    serve({ fetch: web.fetch, hostname: "127.0.0.1", port: 0 }, (address) => resolve(address.port)),
  );
  return {
    port,
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
  };
}
