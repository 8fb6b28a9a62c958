import type { AddressInfo } from "node:net";
import { r } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";
import { z } from "zod";
import { insufficientFunds, locale, trace, type Transfer } from "./contract";

const transfer = r
  .task("bank.tasks.transfer")
  .inputSchema(z.object({ to: z.string(), amount: z.number().positive() }))
  .throws([insufficientFunds])
  .run(async ({ to, amount }: Transfer) => {
    if (to === "nobody") throw new Error("no such row in accounts_2026"); // not for the caller's eyes
    if (amount > 100) insufficientFunds.throw({ missing: amount - 100, availableAt: new Date("2026-12-01") });
    const { requestId, startedAt } = trace.use();
    return { requestId, startedIn: startedAt.getUTCFullYear(), formatted: amount.toLocaleString(locale.use()) };
  })
  .build();

const reachable = r.tunnel.server("bank.tunnels.reachable").tasks([transfer]).build();

// What is not registered is ignored when it arrives, and is not told when it is thrown.
const app = r
  .resource("bank.server")
  .register([
    transfer,
    trace,
    locale,
    insufficientFunds,
    reachable,
    nodeExposure.with({ http: { listen: { port: 0 }, auth: { token: "dev-secret" } } }),
  ])
  .build();

export async function startServer() {
  const running = await run(app, { logs: { printThreshold: null } });
  const { port } = running.getResourceValue(nodeExposure).server?.address() as AddressInfo;
  return { baseUrl: `http://127.0.0.1:${port}/__runner`, [Symbol.asyncDispose]: () => running.dispose() };
}
