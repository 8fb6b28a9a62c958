import { cpuMs } from "../lib/cpu.mjs";
import { ours } from "../lib/ours.mjs";
import { runOptions } from "../lib/runOptions.mjs";
import { token } from "../exposure/payload.mjs";
import { countRows, rowsOf } from "./rows.mjs";

export async function start() {
  const { r, run, nodeExposure } = await ours("node/index.js");
  const rows = r
    .task("app.rows")
    .stream(async function* ({ kind, count }) {
      yield* rowsOf(kind, count);
    })
    .build();
  const count = r
    .task("app.count")
    .itemInput()
    .run(async (_input, _dependencies, { items }) => countRows(items))
    .build();
  const served = r.tunnel.server("app.served").tasks([rows, count]).build();
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token } } });
  const app = await run(r.resource("app").register([rows, count, served, exposure]).build(), runOptions);
  return { port: app.getResourceValue(nodeExposure).server.address().port, cpuMs };
}
