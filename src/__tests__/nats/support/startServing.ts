import { r, run, type RegisterableItems } from "../../../node";
import { natsConnection, natsExposure, type NatsExposureConfig } from "../../../node/nats";

export const quiet = { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } } as const;

/** Serves all tasks among some definitions from this process. */
export function startServing(
  url: string,
  items: readonly RegisterableItems[],
  config: Partial<NatsExposureConfig> = {},
) {
  const tunnel = r.tunnel
    .server("serving.tunnel")
    .tasks((task) => items.some((item) => item === (task as unknown) || (item as { id?: string }).id === task.id))
    .build();
  const exposure = natsExposure.with({ namespace: "acme", group: "serving", auth: { token: "s3cret" }, ...config });
  return run(
    r
      .resource("serving")
      .register([...items, tunnel, natsConnection.with({ servers: url }), exposure])
      .build(),
    quiet,
  );
}
