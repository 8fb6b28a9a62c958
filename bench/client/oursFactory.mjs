import { ours } from "../lib/ours.mjs";
import { runOptions } from "../lib/runOptions.mjs";
import { clientOptions, measureRunnerClient } from "./runnerClient.mjs";

/** A client from `globals.resources.httpClientFactory`, as applications get theirs. */
export async function start(options) {
  const runner = await ours("node/index.js");
  const { r, run, globals } = runner;
  const remote = r
    .resource("app.remote")
    .dependencies({ createClient: globals.resources.httpClientFactory })
    .init(async (_config, { createClient }) => createClient(clientOptions(options, runner)))
    .build();
  const app = await run(r.resource("app").register([remote]).build(), runOptions);
  return measureRunnerClient(app.getResourceValue(remote));
}
