import { createServer } from "node:http";
import { os } from "@orpc/server";
import { RPCHandler } from "@orpc/server/node";
import { cpuMs } from "../lib/cpu.mjs";
import { listen } from "../lib/listen.mjs";
import { rowsOf } from "./rows.mjs";

const rows = os.$context().handler(async function* ({ input: { kind, count } }) {
  yield* rowsOf(kind, count);
});

export async function start() {
  const handler = new RPCHandler({ rows });
  const server = createServer((request, response) => handler.handle(request, response, { context: {} }));
  return { port: await listen(server), cpuMs };
}
