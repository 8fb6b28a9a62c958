/** A service as Kubernetes and systemd run it: probes, a drain that is longer than their periods, logs as lines of JSON. */
import { globals, r } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";

const stock = r
  .resource("shop.stock")
  .init(async () => ({ tea: 3 }))
  .build();

const inStock = r
  .task("shop.tasks.inStock")
  .dependencies({ stock })
  .run(async (_input: void, { stock }) => stock.tea)
  .build();

const stockAnswers = r
  .task("shop.checks.stock")
  .tags([globals.tags.healthCheck.with({ timeoutMs: 500 })])
  .dependencies({ stock })
  .run(async (_input: void, { stock }) => stock.tea > 0)
  .build();

const reachable = r.tunnel.server("shop.tunnels.reachable").tasks([inStock]).build();

const exposure = nodeExposure.with({
  http: {
    listen: { port: Number(process.env["PORT"] ?? 7070), host: process.env["HOST"] ?? "127.0.0.1" },
    auth: { token: process.env["RUNNER_TOKEN"] },
    health: "/healthz",
    ready: "/readyz",
    // Longer than what stands beside it takes to notice: see `readinessProbe` of deployment.yaml.
    drain: { delayMs: Number(process.env["DRAIN_DELAY_MS"] ?? 0), graceMs: 20_000 },
  },
});

const shop = r.resource("shop").register([stock, inStock, stockAnswers, reachable, exposure]).build();

// SIGTERM drains, disposes and exits; what has not ended 5 s after the drain is named in the log, and the process exits with 1.
const { getResourceValue } = await run(shop, { shutdownTimeoutMs: 5_000, logs: { printStrategy: "json" } });
console.log(`Serving at ${getResourceValue(nodeExposure).url}`);
