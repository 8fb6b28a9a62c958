/** The service: its task knows who calls, and nothing of tokens. */
import { r } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";
import { currentUser, jwtValidator, providerKeys } from "./validator";

const orders = r
  .task("shop.tasks.orders")
  .dependencies({ currentUser })
  .run(async (_input: void, deps) => {
    const { id, role } = deps.currentUser.use();
    return `2 orders of ${id}, ${role}`;
  })
  .build();

const reachable = r.tunnel.server("shop.tunnels.reachable").tasks([orders]).build();

const exposure = nodeExposure.with({
  http: { listen: { port: 0 }, auth: { principal: currentUser, required: true }, drain: { quietMs: 0 } },
});

export async function startServer(issuer: string) {
  const app = r
    .resource("shop")
    .register([orders, reachable, currentUser, jwtValidator, providerKeys.with({ issuer }), exposure])
    .build();
  const running = await run(app, { logs: { printThreshold: null }, shutdownHooks: false });
  return { baseUrl: running.getResourceValue(nodeExposure).url, [Symbol.asyncDispose]: () => running.dispose() };
}
