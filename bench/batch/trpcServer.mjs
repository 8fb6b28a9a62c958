import { TRPCError, initTRPC } from "@trpc/server";
import { createHTTPServer } from "@trpc/server/adapters/standalone";
import { cpuMs } from "../lib/cpu.mjs";
import { listen } from "../lib/listen.mjs";
import { token } from "../exposure/payload.mjs";

const t = initTRPC.context().create();

const router = t.router({
  add: t.procedure
    .use(({ ctx, next }) => {
      if (ctx.token !== token) throw new TRPCError({ code: "UNAUTHORIZED" });
      return next();
    })
    .input((value) => value)
    .mutation(async ({ input }) => input.a + input.b),
});

export async function start() {
  const server = createHTTPServer({ router, createContext: ({ req }) => ({ token: req.headers["x-runner-token"] }) });
  return { port: await listen(server), cpuMs };
}
