/**
 * A framework whose body parser comes before the exposure, which is not what the guide says but what applications have:
 * `parsersFirst.mjs <framework>`. With `attached` after it the exposure is attached to the framework's server instead.
 */
import "reflect-metadata";
import { createServer } from "node:http";
import process from "node:process";
import { bodyParser } from "@koa/bodyparser";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import express from "express";
import Koa from "koa";
import { r } from "@bluelibs/runner";
import { nodeExposure } from "@bluelibs/runner/node";
import { close, listen, originOf, startShop } from "../../../examples/tunnels/mounting/shop";

const mount = (exposure) => (req, res, next) => {
  exposure.handleRequest(req, res).then((isHandled) => isHandled || next(), next);
};

const frameworks = {
  async express(exposure) {
    return createServer(express().use(express.json(), express.urlencoded(), mount(exposure)));
  },
  async koa(exposure) {
    const app = new Koa();
    app.use(bodyParser());
    app.use(async (ctx, next) => {
      // This parser leaves its result on its own request, and Node's is what the exposure is handed.
      ctx.req.body = ctx.request.body;
      if (!(await exposure.handleRequest(ctx.req, ctx.res))) return next();
      ctx.respond = false;
    });
    return createServer(app.callback());
  },
  async nest(exposure) {
    class Root {
      configure(consumer) {
        consumer.apply(mount(exposure)).forRoutes("*path");
      }
    }
    const app = await NestFactory.create(Module({})(Root) ?? Root, { logger: false });
    await app.init();
    return app.getHttpServer();
  },
};

const [, , name = "", attached] = process.argv;
const notMounted = { handleRequest: async () => false };
const web = r
  .resource("shop.web")
  .dependencies({ exposure: nodeExposure })
  .init(async (_config, { exposure }) => {
    const server = await frameworks[name](attached ? notMounted : exposure);
    if (attached) exposure.attachTo(server);
    return listen(server);
  })
  .dispose(close)
  .build();
startShop(web).then((app) => console.log(`ready ${originOf(app.getResourceValue(web))}`));
