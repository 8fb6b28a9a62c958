/** One port for an Express application and the exposure below it. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import express from "express";
import { r, type InputFile } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";

const add = r
  .task("shop.tasks.add")
  .run(async (input: { a: number; b: number }) => input.a + input.b)
  .build();

const size = r
  .task("shop.tasks.size")
  .run(async ({ file }: { file: InputFile<Readable> }) => {
    let bytes = 0;
    for await (const chunk of file.stream() as AsyncIterable<Buffer>) bytes += chunk.byteLength;
    return bytes;
  })
  .build();

const reachable = r.tunnel.server("shop.tunnels.reachable").tasks([add, size]).build();

/** Neither `listen` nor `server`: the exposure waits to be mounted. */
const exposure = nodeExposure.with({ http: { auth: { token: "dev-secret" } } });

/** Express is a resource like any other: it starts with the run and ends with it. */
const web = r
  .resource("shop.web")
  .dependencies({ exposure: nodeExposure, add })
  .init(async (_config: void, { exposure, add }): Promise<Server> => {
    const app = express();
    // Before any body parser: the exposure reads requests itself.
    app.use((req, res, next) => {
      exposure.handleRequest(req, res).then((isHandled) => isHandled || next(), next);
    });
    app.use(express.json());
    app.post("/sum", async (req, res) => {
      res.json({ sum: await add(req.body as { a: number; b: number }) });
    });

    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    // Node would cut uploads that take longer than five minutes.
    server.requestTimeout = 0;
    return server;
  })
  .dispose(async (server) => {
    server.close();
    server.closeIdleConnections();
    await once(server, "close");
  })
  .build();

const shop = r.resource("shop").register([add, size, reachable, exposure, web]).build();

export async function startServer() {
  const running = await run(shop, { logs: { printThreshold: null } });
  const { port } = running.getResourceValue(web).address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => running.dispose() };
}
