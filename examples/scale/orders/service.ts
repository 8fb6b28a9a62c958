/** What the services have in common: each is a process that its parent starts, kills and stops. */
import { r, type RegisterableItems } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";

/** What a service tells its parent once it serves. */
export interface Ready {
  /** Where, if over HTTP. */
  readonly url: string | undefined;
}

export async function serve(name: string, items: readonly RegisterableItems[]): Promise<void> {
  const app = r
    .resource(name)
    .register([...items])
    .build();
  const { store, getResourceValue } = await run(app, { logs: { printThreshold: "critical" } });
  const url = store.resources.has(nodeExposure.id) ? getResourceValue(nodeExposure).url : undefined;
  process.send?.({ url } satisfies Ready);
  // The parent has gone, so this process has no use: it ends as by SIGTERM.
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
}
