/** What the three services have in common. Each is a process that its parent starts and stops. */
import { r, type RegisterableItems } from "@bluelibs/runner";
import { nodeExposure, run, useExposureContext } from "@bluelibs/runner/node";
import { declined } from "./contract";

/** What a service tells its parent. */
export type Message =
  | { readonly kind: "ready"; readonly url: string; readonly port: number }
  | { readonly kind: "called"; readonly service: string; readonly traceparent: string }
  | { readonly kind: "stopped"; readonly service: string };

export const tell = (message: Message): void => void process.send?.(message);

/** The place of the call in the trace of its caller, which arrived beside it and goes on by itself. */
export const traceparent = (): string => String(useExposureContext().req.headers["traceparent"]);

/** Serves tasks until SIGTERM, and ends then without losing a call. */
export async function serve(
  name: string,
  tasks: readonly string[],
  items: readonly RegisterableItems[],
): Promise<void> {
  const exposure = nodeExposure.with({
    http: {
      listen: { port: Number(process.env["PORT"] ?? 0) },
      auth: {
        tokens: [
          { token: String(process.env["SERVICE_TOKEN"]), name: "services" },
          { token: String(process.env["GUEST_TOKEN"]), name: "guest" },
        ],
      },
      health: "/healthz",
      ready: "/readyz",
      metrics: "/metrics",
      limits: { maxDeadlineMs: 30_000 },
      drain: { graceMs: 5_000 },
    },
  });
  const reachable = r.tunnel.server(`${name}.tunnels.reachable`).tasks(tasks).build();
  const app = r
    .resource(name)
    .register([...items, declined, reachable, exposure])
    .build();
  // Without its parent this process has no use: it ends as by SIGTERM.
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  const { getResourceValue } = await run(app, { shutdownTimeoutMs: 5_000, logs: { printThreshold: null } });
  const { url, port } = getResourceValue(nodeExposure);
  tell({ kind: "ready", url, port });
}

/** Where another service is, and how to be let in. */
export const remote = (url: string | undefined) => ({
  baseUrl: String(url),
  auth: { token: String(process.env["SERVICE_TOKEN"]) },
});
