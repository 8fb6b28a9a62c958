/** One port for a Fastify application and the exposure below it. */
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import Fastify from "fastify";
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

/** Fastify is a resource like any other: it starts with the run and ends with it. */
const web = r
  .resource("shop.web")
  .dependencies({ exposure: nodeExposure, add })
  .init(async (_config: void, { exposure, add }) => {
    const app = Fastify();
    app.post<{ Body: { a: number; b: number } }>("/sum", async ({ body }) => ({ sum: await add(body) }));

    // A scope of its own, in which nothing touches the body: the exposure reads requests itself.
    await app.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
      scope.all(`${exposure.basePath}/*`, async (request, reply) => {
        reply.hijack();
        await exposure.handleRequest(request.raw, reply.raw);
      });
    });

    await app.listen({ port: 0, host: "127.0.0.1" });
    return app;
  })
  .dispose(async (app) => app.close())
  .build();

const shop = r.resource("shop").register([add, size, reachable, exposure, web]).build();

export async function startServer() {
  const running = await run(shop, { logs: { printThreshold: null } });
  const { port } = running.getResourceValue(web).server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => running.dispose() };
}
