import { createServer } from "node:http";
import next from "next";
import { r } from "@bluelibs/runner";
import { nodeExposure } from "@bluelibs/runner/node";
import { close, listen } from "../shop";

/** A custom server: Next serves what the exposure does not. */
export const web = r
  .resource<{ dir: string }>("shop.web")
  .dependencies({ exposure: nodeExposure })
  .context(() => ({ close: async () => {} }))
  .init(async ({ dir }, { exposure }, context) => {
    const app = next({ dir, dev: process.env.NODE_ENV !== "production" });
    await app.prepare();
    context.close = () => app.close();
    const handle = app.getRequestHandler();
    const server = createServer(async (req, res) => {
      if (!(await exposure.handleRequest(req, res))) await handle(req, res);
    });
    return listen(server);
  })
  .dispose(async (server, _config, _dependencies, context) => {
    await close(server);
    await context.close();
  })
  .build();
