import { r, run } from "../../node";
import { natsClient, natsConnection } from "../../node/nats";
import { createNatsClient } from "../../node/nats/client/natsClient";
import { resolveVersions } from "../../node/nats/client/versions";
import { resolveConnectionConfig } from "../../node/nats/connectionConfig";
import { NatsLink } from "../../node/nats/link";
import { lockContract } from "../../tunnels/contract/contractLock";
import { rejectionOf, thrownBy } from "../support/failures";
import { createCleanups } from "./support/cleanups";
import { startNatsServer, type NatsServer } from "./support/natsServer";
import { quoteOf, type QuoteVersion } from "./support/quotes";
import { quiet } from "./support/startServing";
import { startWorker, type Worker } from "./support/startWorker";

const auth = { token: "s3cret" };
const cleanups = createCleanups();
afterEach(() => cleanups.run());

let broker: NatsServer;
/** Of the first and the second version. */
let workers: readonly [Worker, Worker];
beforeAll(async () => {
  broker = await startNatsServer();
  const start = (version: QuoteVersion) => startWorker({ url: broker.url, version });
  workers = await Promise.all([start(1), start(2)]);
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
  await broker[Symbol.asyncDispose]();
});

/** What `runner contract pull` writes of a worker of a version. */
const lockOf = (version: QuoteVersion) => lockContract({ tasks: [quoteOf(version, () => {})], events: [] });

async function connect(version?: QuoteVersion) {
  const link = await NatsLink.open(resolveConnectionConfig({ servers: broker.url }));
  cleanups.add(() => link.close());
  const versions = version === undefined ? undefined : resolveVersions(await lockOf(version));
  return createNatsClient({ link, namespace: "acme", auth, offlineMs: 1000, versions });
}

const inputs = { 1: { cents: 5 }, 2: { amount: { cents: 5, currency: "EUR" } } } as const;
const calls = 200;
const ranOf = async (worker: Worker): Promise<number> => (await worker.ask("ran"))["quote"] ?? 0;

it("two versions of a task run side by side: a client that has the contract of one reaches this one alone", async () => {
  for (const version of [1, 2] as const) {
    const client = await connect(version);
    const replies = await Promise.all(
      Array.from({ length: calls }, () => client.task<unknown, { version: number }>("work.quote", inputs[version])),
    );
    expect(new Set(replies.map((reply) => reply.version))).toEqual(new Set([version]));
  }

  expect([await ranOf(workers[0]), await ranOf(workers[1])]).toEqual([calls, calls]);
});

it("a call without a version is made by exactly one worker, whatever versions there are", async () => {
  const client = await connect();

  await Promise.all(Array.from({ length: calls }, (_each, n) => client.task("work.add", { n })));

  const ran = await Promise.all(workers.map(async (worker) => (await worker.ask("ran"))["add"] ?? 0));
  expect(ran.reduce((sum, count) => sum + count, 0)).toBe(calls);
  expect(Math.min(...ran)).toBeGreaterThan(0);
  console.info(`${calls} calls without a version, beside two versions: ${ran.join(" + ")} runs`);
});

it("a tunnel takes the contract lock of its server, and leaves tasks that it does not name in any version", async () => {
  const quote = r.task.phantom<unknown, { version: number }>("work.quote").build();
  const add = r.task.phantom<{ n: number }, number>("work.add").build();
  const tunnel = r.tunnel
    .client("app.work")
    .tasks([quote, add])
    .connect(natsClient({ namespace: "acme", auth, contract: await lockOf(2) }))
    .build();
  const items = [quote, add, tunnel, natsConnection.with({ servers: broker.url })];
  const app = await cleanups.starting(run(r.resource("app").register(items).build(), quiet));

  expect(await app.runTask(quote, inputs[2])).toMatchObject({ version: 2 });
  expect(await app.runTask(add, { n: 1 })).toBe(2);
});

it("a version that is served no more has no responder, and the error says so, while the other one is answered", async () => {
  const old = await connect(1);
  const recent = await connect(2);

  await workers[0].terminate();

  const error = await rejectionOf(old.task("work.quote", inputs[1]));
  expect(error).toMatchObject({ code: "NO_RESPONDER", details: { delivered: "no" } });
  expect(error.message).toContain("none serves the task by the contract that this client has");
  expect(await recent.task("work.quote", inputs[2])).toMatchObject({ version: 2 });
});

it.each([
  [{}, "natsClient.contract must be"],
  [{ tasks: { "a.b": "x.>" } }, 'natsClient.contract.tasks["a.b"] must be a hash'],
  [{ tasks: { "a.b": {} } }, 'natsClient.contract.tasks["a.b"] must be a hash'],
])("what is no contract is refused, and the message names the place: %j", (contract, message) => {
  const error = thrownBy(() => natsClient({ namespace: "acme", contract: contract as never }));

  expect(error).toBeInstanceOf(TypeError);
  expect(error.message).toContain(message);
});
