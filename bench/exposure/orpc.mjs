import { createServer } from "node:http";
import { StandardRPCJsonSerializer } from "@orpc/client/standard";
import { ORPCError, os } from "@orpc/server";
import { RPCHandler } from "@orpc/server/node";
import { listen } from "../lib/listen.mjs";
import { inspect, report, token } from "./payload.mjs";

const procedure = os.$context().use(({ context, next }) => {
  if (context.headers["x-runner-token"] !== token) throw new ORPCError("UNAUTHORIZED");
  return next();
});

const router = {
  add: procedure.handler(async ({ input }) => input.a + input.b),
  inspect: procedure.handler(async ({ input }) => inspect(input)),
};

export async function start() {
  const handler = new RPCHandler(router);
  const server = createServer(async (req, res) => {
    const { matched } = await handler.handle(req, res, { prefix: "/rpc", context: { headers: req.headers } });
    if (!matched) res.writeHead(404).end();
  });
  const serializer = new StandardRPCJsonSerializer();
  const request = (name, input) => {
    const [json, meta] = serializer.serialize(input);
    return { path: `/rpc/${name}`, headers: { "x-runner-token": token }, body: JSON.stringify({ json, meta }) };
  };
  return {
    port: await listen(server),
    requests: { add: request("add", { a: 1, b: 2 }), dates: request("inspect", report()) },
  };
}
