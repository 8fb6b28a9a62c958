import type { Server } from "node:http";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { r } from "@bluelibs/runner";
import { nodeExposure } from "@bluelibs/runner/node";
import { add, close, listen } from "./shop";

export const web = r
  .resource("shop.web")
  .dependencies({ exposure: nodeExposure, add })
  .init(async (_config: void, { exposure, add }) => {
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.all(`${exposure.basePath}/*`, async ({ env }) => {
      await exposure.handleRequest(env.incoming, env.outgoing);
      return RESPONSE_ALREADY_SENT;
    });
    app.post("/sum", async (c) => c.json({ sum: await add(await c.req.json()) }));
    app.notFound((c) => c.json({ error: "nothing here" }, 404));
    return listen(createAdaptorServer({ fetch: app.fetch }) as Server);
  })
  .dispose(close)
  .build();
