import "reflect-metadata";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { All, Body, Controller, HttpCode, Inject, Module, NotFoundException, Post } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { r } from "@bluelibs/runner";
import { nodeExposure } from "@bluelibs/runner/node";
import { add, listen } from "./shop";

interface Sum {
  readonly a: number;
  readonly b: number;
}

/** Injects the task as it is called within the run. */
const addToken = Symbol("shop.tasks.add");

@Controller()
class ShopController {
  constructor(@Inject(addToken) private readonly add: (input: Sum) => Promise<number>) {}

  @Post("sum")
  @HttpCode(200)
  async sum(@Body() body: Sum) {
    return { sum: await this.add(body) };
  }

  @All("*path")
  anythingElse(): never {
    throw new NotFoundException("nothing here");
  }
}

export const web = r
  .resource("shop.web")
  .dependencies({ exposure: nodeExposure, add })
  .context(() => ({ close: async () => {} }))
  .init(async (_config: void, { exposure, add }, context) => {
    @Module({ controllers: [ShopController], providers: [{ provide: addToken, useValue: add }] })
    class ShopModule {}

    const app = await NestFactory.create(ShopModule, { logger: false });
    // Before `init`, which adds the body parsers: the exposure reads requests itself.
    app.use((req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => {
      exposure.handleRequest(req, res).then((isHandled) => isHandled || next(), next);
    });
    await app.init();
    context.close = () => app.close();
    return listen(app.getHttpServer() as Server);
  })
  .dispose(async (_server, _config, _dependencies, context) => context.close())
  .build();
