/** One of several servers that share a store of replies. */
import { appendFileSync } from "node:fs";
import { sqliteIdempotencyStore } from "../../../../examples/scale/sqlite-store/sqliteStore";
import { globals, nodeExposure, r, run } from "../../../node/index";
import { answerQuestions } from "../memory/program";

export interface IdempotentServerAnswers {
  baseUrl(): string;
  /** How many calls it has begun. */
  begun(): number;
}

/** A charge that hangs does so on the server that is killed. */
export interface Charge {
  readonly id: number;
  readonly hangs: boolean;
}

let begun = 0;
const { DB = "", EFFECTS = "", NAME = "", LEASE_MS = "" } = process.env;
const store = sqliteIdempotencyStore({ path: DB });
const charge = r
  .task("app.charge")
  .tags([globals.tags.idempotent.with({ store, leaseMs: Number(LEASE_MS) })])
  .run(async ({ id, hangs }: Charge) => {
    begun += 1;
    if (hangs && NAME === "first") await new Promise(() => {});
    appendFileSync(EFFECTS, `${id} ${NAME}\n`);
    return `${id} by ${NAME}`;
  })
  .build();
const exposure = nodeExposure.with({
  http: { listen: { port: 0 }, ready: "/ready", drain: { delayMs: 0 } },
});
const root = r
  .resource("app")
  .register([charge, r.tunnel.server("app.tunnel").tasks([charge]).build(), exposure])
  .build();

void run(root, { logs: { printThreshold: null } }).then((app) =>
  answerQuestions({ baseUrl: () => app.getResourceValue(nodeExposure).url, begun: () => begun }),
);
