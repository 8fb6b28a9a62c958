/** The client process: phantom tasks with the ids of the server's, and a tunnel that routes their calls. */
import assert from "node:assert/strict";
import { r, TunnelError } from "@bluelibs/runner";
import { createHttpMixedClient, run } from "@bluelibs/runner/node";
import { outOfStock, requestInfo, type Order, type Snapshot } from "./contract";
import { show } from "./transcript";

const baseUrl = process.env.RUNNER_URL ?? "";
const token = process.env.RUNNER_TOKEN ?? "";

const add = r.task.phantom<{ a: number; b: number }, number>("calc.add").build();
const echo = r.task.phantom<Snapshot, Snapshot>("shop.echo").build();
const order = r.task.phantom<Order, Order & { orderedBy: string }>("shop.order").build();
const secret = r.task.phantom<void, string>("shop.secret").build();

const remote = r.tunnel
  .client("shop.tunnels.remote")
  .tasks([add, echo, order, secret])
  .http({ baseUrl, auth: { token } })
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
    assert.deepStrictEqual(returned, snapshot);
    show("  … comes back equal", true);

    const placed = await requestInfo.provide({ requestId: "req-7" }, () => tasks.order({ sku: "tea", quantity: 1 }));
    show("order, inside a request context: the far side saw the id", placed);

    const tooMany = await failureOf(tasks.order({ sku: "tea", quantity: 5 }));
    assert(outOfStock.is(tooMany));
    show("order too many: the typed error, caught with .is", tooMany.data);

    show(
      "order -1: refused by the far side's schema (400)",
      describe(await failureOf(tasks.order({ sku: "tea", quantity: -1 }))),
    );
    show("secret(): not on the list (403)", describe(await failureOf(tasks.secret())));
  })
  .build();

const app = r
  .resource("shop.client")
  .register([add, echo, order, secret, outOfStock, requestInfo, remote, story])
  .build();

const { runTask, dispose } = await run(app, { logs: { printThreshold: null } });
await runTask(story);

await using stranger = createHttpMixedClient({ baseUrl, auth: { token: "guessed" } });
show("a wrong token (401)", describe(await failureOf(stranger.task(add.id, { a: 1, b: 1 }))));
await dispose();

/** What a call that must not succeed fails with. */
async function failureOf(call: Promise<unknown>): Promise<unknown> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in outcome) return outcome.error;
  throw new Error(`A call that should have been refused gave ${String(outcome.value)}.`);
}

function describe(error: unknown): unknown {
  if (!(error instanceof TunnelError)) throw error;
  const { code, message, data } = error;
  const issues = (data as { issues?: unknown } | undefined)?.issues;
  return issues === undefined ? `${code}: ${message.split("\n")[0]}` : { code, issues };
}
