import { setImmediate as nextTurn } from "node:timers/promises";
import { metrics, observer, r, run, type RunOptions } from "../../node";
import { natsClient, natsConnection, natsEvents, natsExposure } from "../../node/nats";
import { rejectionOf } from "../support/failures";
import { parseMetrics } from "../support/prometheus";
import { createCleanups } from "./support/cleanups";
import { startNatsServer, type NatsServer } from "./support/natsServer";
import { quiet, startServing } from "./support/startServing";

const auth = { token: "s3cret" };
const cleanups = createCleanups();
let broker: NatsServer;
beforeAll(async () => void (broker = await startNatsServer()));
afterAll(() => broker[Symbol.asyncDispose]());
afterEach(() => cleanups.run());

const declined = r.error<{ id: string }>("shop.declined").httpCode(402).build();
const pay = r
  .task("shop.pay")
  .run(async (cents: number) => {
    if (cents < 0) throw new Error("inside");
    if (cents > 100) declined.throw({ id: "A1" });
    return cents;
  })
  .build();
const rows = r
  .task("shop.rows")
  .stream(async function* () {
    yield 1;
    yield 2;
  })
  .build();

type Message = Parameters<NonNullable<RunOptions["observe"]>>[0];

/** Routes the tasks of the shop to whoever serves them, and notes what is published. */
async function startCaller(token = auth.token) {
  const remotePay = r.task.phantom<number, number>(pay.id).build();
  const remoteRows = r.task.phantom.stream<undefined, number>(rows.id).build();
  const tunnel = r.tunnel
    .client("caller.tunnel")
    .tasks([remotePay, remoteRows])
    .connect(natsClient({ namespace: "acme", auth: { token } }))
    .build();
  const published: Message[] = [];
  const items = [remotePay, remoteRows, tunnel, declined, natsConnection.with({ servers: broker.url })];
  const root = r.resource("caller").register(items).build();
  const app = await cleanups.starting(
    run(root, { ...quiet, observe: observer((message) => void published.push(message)) }),
  );
  return { app, published, pay: (cents: number) => app.runTask(remotePay, cents), rows: () => app.runTask(remoteRows) };
}

const endsOf = (published: readonly Message[], channel: Message["channel"]) =>
  published.filter((each) => each.channel === channel && each.phase === "asyncEnd").map(({ message }) => message);

it("requests over NATS are counted by kind, id and code, as those over HTTP are", async () => {
  const served = await cleanups.starting(startServing(broker.url, [pay, rows, declined, metrics]));
  const caller = await startCaller();
  const stranger = await startCaller("guessed");

  await caller.pay(5);
  await caller.pay(6);
  for (const cents of [-1, 500]) await rejectionOf(caller.pay(cents));
  await rejectionOf(stranger.pay(5));
  for await (const row of caller.rows()) expect(row).toBeGreaterThan(0);

  const { samples, value } = parseMetrics(await served.getResourceValue(metrics).text());
  const counted = samples.filter(({ name }) => name === "runner_requests_total");
  expect(counted.map(({ labels: { kind, id, code }, value: count }) => [kind, id, code, count])).toEqual([
    ["task", "shop.pay", "OK", 2],
    ["task", "shop.pay", "INTERNAL_ERROR", 1],
    ["task", "shop.pay", "shop.declined", 1],
    ["task", "shop.pay", "UNAUTHORIZED", 1],
    ["task", "shop.rows", "OK", 1],
  ]);
  expect(value("runner_request_seconds_count", { kind: "task", id: "shop.pay" })).toBe(5);
  expect(value("runner_requests_in_flight")).toBe(0);
});

it("a call that is refused because its worker is full is counted as well", async () => {
  const config = { limits: { inFlight: 0 } };
  const served = await cleanups.starting(startServing(broker.url, [pay, metrics], config));
  const caller = await startCaller();

  expect(await rejectionOf(caller.pay(1))).toMatchObject({ code: "OVERLOADED" });

  const { value } = parseMetrics(await served.getResourceValue(metrics).text());
  expect(value("runner_requests_total", { id: "shop.pay", code: "OVERLOADED" })).toBe(3);
});

it("calls over NATS are on the channels of client and server, with their trace, origin, status and sizes", async () => {
  const published: Message[] = [];
  const exposure = natsExposure.with({ namespace: "acme", group: "shop", auth });
  const tunnel = r.tunnel.server("shop.tunnel").tasks([pay]).build();
  const root = r
    .resource("shop")
    .register([pay, declined, tunnel, natsConnection.with({ servers: broker.url }), exposure]);
  await cleanups.starting(
    run(root.build(), { ...quiet, observe: observer((message) => void published.push(message)) }),
  );
  const caller = await startCaller();

  await caller.pay(5);
  await rejectionOf(caller.pay(500));

  const calls = endsOf(caller.published, "runner:call");
  const requests = endsOf(published, "runner:request");
  expect(calls).toMatchObject([
    { taskId: "shop.pay", origin: "nats://acme", path: "/task/shop.pay", status: 200, bytesOut: 11 },
    { taskId: "shop.pay", status: 402, errorId: "shop.declined" },
  ]);
  expect(requests).toMatchObject([
    { taskId: "shop.pay", origin: "exposure:nats", status: 200, bytesIn: 11 },
    { taskId: "shop.pay", origin: "exposure:nats", status: 402, errorId: "shop.declined" },
  ]);
});

it("durable events that a service hears are requests, counted with how they ended", async () => {
  const paid = r.event<{ cents: number }>("shop.paid").build();
  const heard: number[] = [];
  const hook = r
    .hook("mailer.mail")
    .on(paid)
    .run(async ({ data }) => void heard.push(data.cents))
    .build();
  const events = natsEvents.with({ namespace: "acme", service: "mailer", events: [paid] });
  const connection = natsConnection.with({ servers: broker.url });
  const mailer = r.resource("mailer").register([paid, hook, connection, events, metrics]).build();
  const served = await cleanups.starting(run(mailer, quiet));
  const emit = r
    .task("shop.emit")
    .dependencies({ paid })
    .run(async (cents: number, deps) => deps.paid({ cents }))
    .build();
  const tunnel = r.tunnel
    .client("shop.events")
    .events([paid], { eventDeliveryMode: "remote-only" })
    .connect(natsClient({ namespace: "acme", events: "durable" }))
    .build();
  const shop = r.resource("shop").register([paid, emit, tunnel, connection]).build();
  const app = await cleanups.starting(run(shop, quiet));

  await app.runTask(emit, 5);
  const counted = async () => parseMetrics(await served.getResourceValue(metrics).text());
  // The loop has to turn: nothing that is asked waits for anything outside.
  while ((await counted()).value("runner_requests_total", { id: "shop.paid" }) === undefined) await nextTurn();

  expect((await counted()).value("runner_requests_total", { kind: "event", id: "shop.paid", code: "OK" })).toBe(1);
  expect(heard).toEqual([5]);
});
