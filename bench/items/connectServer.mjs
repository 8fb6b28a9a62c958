import { createServer } from "node:http";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { cpuMs } from "../lib/cpu.mjs";
import { listen } from "../lib/listen.mjs";
import { Rows } from "./connectService.mjs";
import { rowsOf } from "./rows.mjs";

export async function start() {
  const routes = (router) =>
    router.service(Rows, {
      async *rows({ kind, count }) {
        yield* rowsOf(kind, count);
      },
    });
  return { port: await listen(createServer(connectNodeAdapter({ routes }))), cpuMs };
}
