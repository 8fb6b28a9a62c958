import { ours } from "../lib/ours.mjs";
import { clientOptions, measureRunnerClient } from "./runnerClient.mjs";

export async function start(options) {
  const runner = await ours("node/index.js");
  return measureRunnerClient(runner.createHttpMixedClient(clientOptions(options, runner)));
}
