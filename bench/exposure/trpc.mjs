import { TRPCError, initTRPC } from "@trpc/server";
import { createHTTPServer } from "@trpc/server/adapters/standalone";
import superjson from "superjson";
import { listen } from "../lib/listen.mjs";
import { inspect, report, token } from "./payload.mjs";

const t = initTRPC.context().create({ transformer: superjson });

const procedure = t.procedure
  .use(({ ctx, next }) => {
    if (ctx.token !== token) throw new TRPCError({ code: "UNAUTHORIZED" });
    return next();
  })
  .input((value) => value);

const router = t.router({
  add: procedure.mutation(async ({ input }) => input.a + input.b),
  inspect: procedure.mutation(async ({ input }) => inspect(input)),
});

/** With superjson, which it needs for dates. */
export async function start() {
  const server = createHTTPServer({ router, createContext: ({ req }) => ({ token: req.headers["x-runner-token"] }) });
  const request = (name, input) => ({
    path: `/${name}`,
    headers: { "x-runner-token": token },
    body: superjson.stringify(input),
  });
  return {
    port: await listen(server),
    requests: { add: request("add", { a: 1, b: 2 }), dates: request("inspect", report()) },
  };
}
