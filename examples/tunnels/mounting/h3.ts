import { createServer } from "node:http";
import { H3, HTTPError, readBody } from "h3";
import { toNodeHandler } from "h3/node";
import { r } from "@bluelibs/runner";
import { nodeExposure } from "@bluelibs/runner/node";
import { add, close, listen } from "./shop";

export const web = r
  .resource("shop.web")
  .dependencies({ exposure: nodeExposure, add })
  .init(async (_config: void, { exposure, add }) => {
    const app = new H3();
    app.post("/sum", async (event) => {
      const body = await readBody<{ a: number; b: number }>(event);
      if (body === undefined) throw new HTTPError({ status: 400, message: "a and b, please" });
      return { sum: await add(body) };
    });
    app.all("/**", () => {
      throw new HTTPError({ status: 404, message: "nothing here" });
    });
    const handle = toNodeHandler(app);
    const server = createServer(async (req, res) => {
      if (!(await exposure.handleRequest(req, res))) await handle(req, res);
    });
    return listen(server);
  })
  .dispose(close)
  .build();
