import fastify from "fastify";
import { inspect, report, token } from "./payload.mjs";

const headers = { "x-runner-token": token };

/** Its own JSON, so that the route revives the dates it knows of. */
export async function start() {
  const app = fastify({ keepAliveTimeout: 0 });
  app.addHook("onRequest", async (request, reply) => {
    if (request.headers["x-runner-token"] !== token) return reply.code(401).send({ ok: false });
  });
  app.post("/add", async (request) => {
    const { a, b } = request.body.input;
    return { ok: true, result: a + b };
  });
  app.post("/inspect", async (request) => {
    const { input } = request.body;
    for (const shipment of input.shipments) shipment.sentAt = new Date(shipment.sentAt);
    return { ok: true, result: inspect(input) };
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    port: app.server.address().port,
    requests: {
      add: { path: "/add", headers, body: JSON.stringify({ input: { a: 1, b: 2 } }) },
      dates: { path: "/inspect", headers, body: JSON.stringify({ input: report() }) },
    },
  };
}
