/** The relay, which visitors and drivers reach. */
import { r } from "@bluelibs/runner";
import { run, tunnelRelay } from "@bluelibs/runner/node";

const port = Number(process.env.RELAY_PORT);

const root = r
  .resource("relay")
  .register([
    tunnelRelay.with({
      listen: { port },
      auth: { token: process.env.RELAY_TOKEN ?? "" },
      publicUrlPattern: `http://127.0.0.1:${port}/t/{name}/`,
      drainMs: 0,
    }),
  ])
  .build();

await run(root, { logs: { printThreshold: null } });
process.send?.({ listening: port });
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
