import { ref55 } from "../lib/ref55.mjs";
import { clientOptions, measureRunnerClient } from "./runnerClient.mjs";

export function start(options) {
  const runner = ref55("/node");
  return measureRunnerClient(runner.createHttpSmartClient(clientOptions(options, runner)));
}
