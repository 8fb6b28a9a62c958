/** One of several servers of the same task. */
import { setTimeout as sleep } from "node:timers/promises";
import { nodeExposure, r, run } from "../../../node/index";
import { answerQuestions } from "../memory/program";

export interface PoolServerAnswers {
  baseUrl(): string;
  /** How many calls it has begun. */
  begun(): number;
}

let begun = 0;
const delayMs = Number(process.env["WORK_MS"] ?? 0);
const work = r
  .task("app.work")
  .run(async (id: number) => {
    begun += 1;
    if (delayMs > 0) await sleep(delayMs);
    return id;
  })
  .build();
const exposure = nodeExposure.with({
  http: { listen: { port: Number(process.env["PORT"] ?? 0) }, ready: "/ready", drain: { delayMs: 0 } },
});
const root = r
  .resource("app")
  .register([work, r.tunnel.server("app.tunnel").tasks([work]).build(), exposure])
  .build();

void run(root, { logs: { printThreshold: null } }).then((app) =>
  answerQuestions({ baseUrl: () => app.getResourceValue(nodeExposure).url, begun: () => begun }),
);
