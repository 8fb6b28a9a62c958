/** The calling side: a phantom task in a run of its own, and a client without any. */
import { once } from "node:events";
import { r } from "@bluelibs/runner";
import { createHttpMixedClient, run } from "@bluelibs/runner/node";
import { tableClosed, type Range, type Row, type Summary } from "./contract";
import { cursor, startServer } from "./server";

await using server = await startServer();
const { baseUrl } = server;
const auth = { token: "dev-secret" };

const rows = r.task.phantom.stream<Range, Row, Summary>("shop.tasks.rows").build();
const print = ({ id, createdAt }: Row): void => console.log(`row ${id} of ${createdAt.toISOString().slice(0, 10)}`);

/** Application code: nothing in it says that the rows come from elsewhere. */
const report = r
  .task("report.tasks.print")
  .dependencies({ rows })
  .run(async (range: Range, { rows }) => {
    const stream = rows(range);
    for await (const row of stream) print(row);
    return stream.result;
  })
  .build();

const toShop = r.tunnel.client("report.tunnels.toShop").tasks([rows]).http({ baseUrl, auth }).build();
const app = r.resource("report").register([rows, report, toShop, tableClosed]).build();
await using reporting = await run(app, { logs: { printThreshold: null } });

const summary = await reporting.runTask(report, { from: 1, to: 3 });
console.log(`${summary?.total} rows in all`);

// An error may come after items: the loop ends with it.
await reporting.runTask(report, { from: 999, to: 1001 }).catch((error: unknown) => {
  if (!tableClosed.is(error)) throw error;
  console.log(`caught with .is: ${error.message}`);
});

// Leaving the loop ends the task on the server, too.
await using client = createHttpMixedClient({ baseUrl, auth });
const closed = once(cursor, "closed");
for await (const row of client.stream(rows, { from: 5, to: 900 })) {
  print(row);
  break;
}
await closed;
console.log("the server closed its cursor");
