import { rssAfterCollection } from "./memory.mjs";
import { ours } from "../lib/ours.mjs";
import { runOptions } from "../lib/runOptions.mjs";

export async function start() {
  const { r, run, tunnelRelay } = await ours("node/index.js");
  const relay = tunnelRelay.with({ listen: { port: 0 }, auth: { token: "bench" }, limits: { maxStreams: 4_096 } });
  const { getResourceValue } = await run(r.resource("app").register([relay]).build(), runOptions);
  return { port: getResourceValue(tunnelRelay).port, rssKb: rssAfterCollection };
}
