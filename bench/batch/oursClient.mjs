import { ours } from "../lib/ours.mjs";
import { token } from "../exposure/payload.mjs";
import { measureClient } from "../client/callLoop.mjs";

/** The Mixed client, with the `batch` option that is given. */
export async function start({ port, batch }) {
  const { createHttpMixedClient } = await ours("node/index.js");
  const client = createHttpMixedClient({ baseUrl: `http://127.0.0.1:${port}/__runner`, auth: { token }, batch });
  return measureClient(() => client.task("app.tasks.add", { a: 1, b: 2 }));
}
