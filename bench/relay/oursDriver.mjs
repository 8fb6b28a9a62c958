import { ours } from "../lib/ours.mjs";
import { rssAfterCollection } from "./memory.mjs";
import { answerSmall } from "./service.mjs";

/** Publishes one service: the small answer of this process, a local HTTP service, or a local TCP service. */
export async function start({ relayPort, kind, localPort }) {
  const { tunnelExpose, tunnelPull, tunnelServe } = await ours("node/index.js");
  const at = { relay: `http://127.0.0.1:${relayPort}`, token: "bench" };
  const publish = {
    serve: () => tunnelServe({ ...at, server: answerSmall }),
    expose: () => tunnelExpose({ ...at, port: localPort }),
    pull: () => tunnelPull({ ...at, containerPort: 0, localPort }),
  };
  const { containerPort } = await publish[kind]();
  return { port: containerPort, rssKb: rssAfterCollection };
}
