/** The client process: phantom tasks with the ids of the server's, and a tunnel that routes their calls. */
import { isDeepStrictEqual } from "node:util";
import { globals, r, TunnelError } from "@bluelibs/runner";
import { createHttpMixedClient, run } from "@bluelibs/runner/node";
import { outOfStock, requestInfo, type Order, type Snapshot } from "./contract";
import { show } from "./transcript";

const baseUrl = process.env.RUNNER_URL ?? "";
const token = process.env.RUNNER_TOKEN ?? "";

const add = r.task.phantom<{ a: number; b: number }, number>("calc.add").build();
const echo = r.task.phantom<Snapshot, Snapshot>("shop.echo").build();
const order = r.task.phantom<Order, Order & { orderedBy: string }>("shop.order").build();
const secret = r.task.phantom<void, string>("shop.secret").build();

const remote = r
  .resource("shop.tunnels.remote")
  .tags([globals.tags.tunnel])
  .dependencies({ createClient: globals.resources.httpClientFactory })
  .init(async (_config, { createClient }) => {
    const client = createClient({ baseUrl, auth: { token } });
    return {
      mode: "client" as const,
      transport: "http" as const,
      tasks: [add, echo, order, secret],
      run: async (task, input) => await client.task(task.id, input),
    };
  })
  .build();

/** Application code: nothing in it says that the tasks run elsewhere. */
const story = r
  .task("shop.story")
  .dependencies({ add, echo, order, secret })
  .run(async (_input: void, tasks) => {
    show("add({ a: 19, b: 23 })", await tasks.add({ a: 19, b: 23 }));

    const snapshot: Snapshot = {
      takenAt: new Date("2026-01-01T00:00:00Z"),
      stock: new Map([["tea", 2]]),
      totalCents: 12_345_678_901_234_567_890n,
      discount: undefined,
    };
    const returned = await tasks.echo(snapshot);
    show("echo(Date, Map, BigInt, undefined)", returned);
    show("  … comes back equal", isDeepStrictEqual(returned, snapshot));

    const placed = await requestInfo.provide({ requestId: "req-7" }, () => tasks.order({ sku: "tea", quantity: 1 }));
    show("order, inside a request context", placed);

    await tasks.order({ sku: "tea", quantity: 5 }).catch((error: unknown) => {
      if (!outOfStock.is(error)) throw error;
      show("order too many: the typed error, caught with .is", error.data);
    });

    await tasks.order({ sku: "tea", quantity: -1 }).catch((error: unknown) => {
      show("order -1: refused by the far side's schema", failure(error));
    });

    await tasks.secret().catch((error: unknown) => show("secret(): not listed", failure(error)));
  })
  .build();

const app = r
  .resource("shop.client")
  .register([add, echo, order, secret, outOfStock, requestInfo, remote, story])
  .build();

const { runTask, dispose } = await run(app, { logs: { printThreshold: null } });
await runTask(story);

await using stranger = createHttpMixedClient({ baseUrl, auth: { token: "guessed" } });
await stranger.task(add.id, { a: 1, b: 1 }).catch((error: unknown) => show("a wrong token", failure(error)));
await dispose();

function failure(error: unknown): unknown {
  if (!(error instanceof TunnelError)) throw error;
  const { code, message, data } = error;
  const issues = (data as { issues?: unknown } | undefined)?.issues;
  return issues === undefined ? `${code}: ${message}` : { code, issues };
}
