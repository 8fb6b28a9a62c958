import { createServer } from "node:http";
import { bodyParser } from "@koa/bodyparser";
import Koa from "koa";
import { r } from "@bluelibs/runner";
import { nodeExposure } from "@bluelibs/runner/node";
import { add, close, listen } from "./shop";

export const web = r
  .resource("shop.web")
  .dependencies({ exposure: nodeExposure, add })
  .init(async (_config: void, { exposure, add }) => {
    const app = new Koa();
    // Before any body parser: the exposure reads requests itself.
    app.use(async (ctx, next) => {
      if (!(await exposure.handleRequest(ctx.req, ctx.res))) return next();
      ctx.respond = false;
    });
    app.use(bodyParser());
    app.use(async (ctx) => {
      if (ctx.method === "POST" && ctx.path === "/sum") {
        ctx.body = { sum: await add(ctx.request.body as { a: number; b: number }) };
      } else {
        ctx.status = 404;
        ctx.body = { error: "nothing here" };
      }
    });
    return listen(createServer(app.callback()));
  })
  .dispose(close)
  .build();
