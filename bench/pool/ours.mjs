import { measureRunnerClient } from "../client/runnerClient.mjs";
import { ours } from "../lib/ours.mjs";

/** A Mixed client of one address, or of several. */
export async function start({ ports, isPooled, balance }) {
  const { createHttpMixedClient, Serializer } = await ours("node/index.js");
  const urls = ports.map((port) => `http://127.0.0.1:${port}/__runner`);
  const where = isPooled ? { endpoints: urls, balance } : { baseUrl: urls[0] };
  const client = createHttpMixedClient({ ...where, auth: { token: "dev-secret" }, serializer: new Serializer() });
  return measureRunnerClient(client);
}
