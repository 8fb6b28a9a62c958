import { initTRPC } from "@trpc/server";
import { createHTTPServer } from "@trpc/server/adapters/standalone";
import { cpuMs } from "../lib/cpu.mjs";
import { listen } from "../lib/listen.mjs";
import { rowsOf } from "./rows.mjs";

const t = initTRPC.create();

const router = t.router({
  rows: t.procedure
    .input((value) => value)
    .query(async function* ({ input: { kind, count } }) {
      yield* rowsOf(kind, count);
    }),
});

export async function start() {
  return { port: await listen(createHTTPServer({ router })), cpuMs };
}
