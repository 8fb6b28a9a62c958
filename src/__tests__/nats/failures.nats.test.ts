import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { createNodeFile, TunnelError } from "../../node";
import { createNatsClient, type NatsClientParts } from "../../node/nats/client/natsClient";
import { resolveConnectionConfig } from "../../node/nats/connectionConfig";
import { NatsLink } from "../../node/nats/link";
import type { TransportLayer } from "../../tunnels/client/carrier";
import { rejectionOf } from "../support/failures";
import { startNatsServer, type NatsServer } from "./support/natsServer";
import { startWorker, type Worker } from "./support/startWorker";

const auth = { token: "s3cret" };
const started: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each[Symbol.asyncDispose]();
});
async function starting<T extends AsyncDisposable>(boot: Promise<T>): Promise<T> {
  const value = await boot;
  started.push(value);
  return value;
}

async function connect(broker: NatsServer, options: Partial<NatsClientParts> = {}) {
  const link = await NatsLink.open(resolveConnectionConfig({ servers: broker.url }));
  started.push({ [Symbol.asyncDispose]: () => link.close() });
  return Object.assign(createNatsClient({ link, namespace: "acme", auth, offlineMs: 1000, ...options }), { link });
}

/** Every call may be made twice. */
const repeatable: TransportLayer = (next) => (request) => next({ ...request, isRepeatable: true });

/** What comes first: an outcome, or the end of a time that is far longer than it should take. */
async function firstOf<T>(outcome: Promise<T>, ms: number): Promise<T | "nothing"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"nothing">((resolve) => (timer = setTimeout(() => resolve("nothing"), ms)));
  return Promise.race([outcome, late]).finally(() => clearTimeout(timer));
}

/** What became of calls, by the code of their failure. */
async function tally(calls: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const outcome of await Promise.allSettled(calls)) {
    const error = outcome.status === "rejected" ? (outcome.reason as unknown) : undefined;
    const key = error === undefined ? "ok" : error instanceof TunnelError ? error.code : String(error);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

it("a worker that is killed loses no call that may be made twice, and says of others that they may have run", async () => {
  const broker = await starting(startNatsServer());
  const workers = [await starting(startWorker({ url: broker.url })), await starting(startWorker({ url: broker.url }))];
  const idempotent = await connect(broker, { around: [repeatable] });
  const once = await connect(broker);
  const n = 64;

  const safe = Array.from({ length: n }, (_each, index) => idempotent.task("work.add", { n: index, ms: 300 }));
  const others = Array.from({ length: n }, (_each, index) => once.task("work.add", { n: index, ms: 300 }));
  await idempotent.task("work.add", { n: 0 });
  process.kill((workers[0] as Worker).pid, "SIGKILL");

  const [outcomeOfSafe, outcome] = await Promise.all([tally(safe), tally(others)]);
  expect(outcomeOfSafe).toEqual({ ok: n });
  expect(Object.keys(outcome).sort()).toEqual(["WORKER_LOST", "ok"]);
  const lost = (await Promise.allSettled(others)).find((each) => each.status === "rejected");
  expect(lost).toMatchObject({ reason: { details: { delivered: "unknown" } } });
  console.info(
    `one of two workers killed under ${2 * n} in flight: ${n} of ${n} repeatable calls answered, others:`,
    outcome,
  );
});

it("a call whose worker is killed says so long before its time is up", async () => {
  const broker = await starting(startNatsServer());
  const worker = await starting(startWorker({ url: broker.url }));
  const client = await connect(broker);
  const outcome = rejectionOf(client.task("work.hold", undefined, { timeoutMs: 600_000 }));
  while ((await worker.ask("ran"))["held"] !== 1);

  process.kill(worker.pid, "SIGKILL");
  const first = await firstOf(outcome, 45_000);

  expect(first).toMatchObject({ code: "WORKER_LOST", details: { delivered: "unknown" } });
});

it("calls with a key whose worker is killed are made by another one, once its lease is over, and remembered", async () => {
  const broker = await starting(startNatsServer());
  const leaving = await starting(startWorker({ url: broker.url, name: "first", hangs: true }));
  const staying = await starting(startWorker({ url: broker.url, name: "second" }));
  const client = await connect(broker);
  const n = 20;
  const callAll = () =>
    Array.from({ length: n }, (_each, index) =>
      client.task<number, string>("work.once", index, { idempotencyKey: `order-${index}` }),
    );

  const calls = callAll();
  while (((await leaving.ask("ran"))["once"] ?? 0) + ((await staying.ask("ran"))["once"] ?? 0) < n);
  const hung = (await leaving.ask("ran"))["once"] ?? 0;
  process.kill(leaving.pid, "SIGKILL");
  const replies = await Promise.all(calls);
  const again = await Promise.all(callAll());

  expect(hung).toBeGreaterThan(0);
  expect(replies).toEqual(Array.from({ length: n }, (_each, index) => `${index} by second`));
  expect(again).toEqual(replies);
  expect(await staying.ask("ran")).toEqual({ once: n });
});

it("a worker that is told to stop answers what it has taken, and loses nothing", async () => {
  const broker = await starting(startNatsServer());
  const leaving = await starting(startWorker({ url: broker.url }));
  await starting(startWorker({ url: broker.url }));
  const client = await connect(broker);
  let sent = 0;
  const outcomes: Promise<unknown>[] = [];
  let stopped: Promise<unknown> | undefined;
  const caller = async (): Promise<void> => {
    while (sent < 3000) {
      sent += 1;
      if (sent === 1000) stopped = leaving.terminate();
      const call = client.task("work.add", { n: sent, ms: sent % 10 === 0 ? 20 : 0 });
      outcomes.push(call);
      await call.catch(() => {});
    }
  };

  await Promise.all(Array.from({ length: 64 }, caller));

  expect(await tally(outcomes)).toEqual({ ok: outcomes.length });
  expect(await stopped).toMatchObject({ exit: 0 });
  console.info(`one of two workers stopped under load: ${outcomes.length} calls, ${outcomes.length} answered, 0 lost`);
});

it("a broker that restarts under load has calls fail fast or succeed, and none hang or run late", async () => {
  const broker = await starting(startNatsServer());
  const worker = await starting(startWorker({ url: broker.url }));
  const client = await connect(broker);
  await client.task("work.add", { n: 0 });
  const held = rejectionOf(client.task("work.hold"));
  let isOver = false;
  const outcomes: Promise<unknown>[] = [];
  const caller = async (): Promise<void> => {
    while (!isOver) {
      const call = client.task("work.add", { n: 1, ms: 1 });
      outcomes.push(call);
      await call.catch(() => {});
    }
  };
  const load = Array.from({ length: 16 }, caller);

  await broker.kill();
  expect(await held).toMatchObject({ code: "BROKER_LOST", details: { delivered: "unknown" } });
  const startedAt = performance.now();
  const offline = await rejectionOf(client.task("work.add", { n: 1 }));
  const waitedMs = performance.now() - startedAt;
  expect(offline).toMatchObject({ code: "BROKER_OFFLINE", details: { delivered: "no" } });
  const { add: ranBefore } = await worker.ask("ran");
  await broker.restart();
  // The worker comes back when it likes.
  while (
    (await rejectionOf(client.task("work.add", { n: 1 }).then(() => Promise.reject(new Error("back"))))).message !==
    "back"
  );
  isOver = true;
  await Promise.all(load);

  const counts = await tally(outcomes);
  expect(counts["ok"]).toBeGreaterThan(0);
  expect(
    Object.keys(counts).filter((code) => !["ok", "BROKER_LOST", "BROKER_OFFLINE", "NO_RESPONDER"].includes(code)),
  ).toEqual([]);
  expect((await worker.ask("ran"))["add"]).toBeGreaterThan(ranBefore ?? 0);
  console.info(
    `broker restarted under load: ${outcomes.length} calls`,
    counts,
    `a call while it is away fails after ${Math.round(waitedMs)} ms`,
  );
});

it("what is called while the broker is away is not sent when it is back", async () => {
  const broker = await starting(startNatsServer());
  const worker = await starting(startWorker({ url: broker.url }));
  const client = await connect(broker, { offlineMs: 50 });
  await client.task("work.add", { n: 0 });

  await broker.kill();
  const offline = await tally(Array.from({ length: 20 }, () => client.task("work.hold")));
  await broker.restart();
  while (!(await client.link.whenOnline(5000)));
  while (
    (await rejectionOf(client.task("work.add", { n: 1 }).then(() => Promise.reject(new Error("back"))))).message !==
    "back"
  );

  expect(offline).toEqual({ BROKER_OFFLINE: 20 });
  expect(await worker.ask("ran")).not.toHaveProperty("held");
});

it("a call whose time was up before its worker got to it is never started", async () => {
  const broker = await starting(startNatsServer());
  const worker = await starting(startWorker({ url: broker.url }));
  const client = await connect(broker);
  await client.task("work.add", { n: 0 }, { timeoutMs: 60_000 });

  const blocked = client.task("work.block", 800);
  const error = await rejectionOf(client.task("work.add", { n: 1 }, { timeoutMs: 300 }));
  await blocked;
  await client.task("work.who");

  expect(error).toMatchObject({ code: "REQUEST_TIMEOUT" });
  expect(await worker.ask("ran")).toEqual({ add: 1 });
});

it("a worker that is full has others of its group take the call", async () => {
  const broker = await starting(startNatsServer());
  await starting(startWorker({ url: broker.url, limits: { inFlight: 0 } }));
  await starting(startWorker({ url: broker.url }));
  const client = await connect(broker);

  const calls = Array.from({ length: 20 }, (_each, n) => client.task("work.add", { n }));

  const counts = await tally(calls);
  // Each is tried three times, and one that has no luck is told that it was not delivered.
  expect(counts["ok"]).toBeGreaterThan(10);
  const [refused] = (await Promise.allSettled(calls)).filter((each) => each.status === "rejected");
  if (refused !== undefined) expect(refused).toMatchObject({ reason: { code: "OVERLOADED" } });
});

it("what is too large for a message goes by the bucket, both ways, and files are sent elsewhere", async () => {
  const broker = await starting(startNatsServer());
  const { startEcho } = await import("./support/echo");
  await starting(startEcho(broker.url));
  const client = await connect(broker);
  const large = randomBytes(3_000_000).toString("base64");

  expect((await client.task<string, string>("echo", large)) === large).toBe(true);
  const tooLarge = await rejectionOf(client.task("echo", randomBytes(9_000_000).toString("base64")));
  expect(tooLarge).toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  const file = createNodeFile({ name: "a" }, { buffer: Buffer.from("a") }, "a");
  expect((await rejectionOf(client.task("echo", { file }))).message).toContain("go by an HTTP tunnel");
  expect((await rejectionOf(client.task("echo", Readable.from(["a"])))).message).toContain("go by an HTTP tunnel");
  const reply = await rejectionOf(client.task("bytes"));
  expect(reply).toMatchObject({ code: "STREAM_UNSUPPORTED" });
  expect(reply.message).toContain(
    "bytes replies with a stream of bytes, which NATS does not carry; call it by an HTTP tunnel.",
  );
});

it("two hundred clients find their broker again after it was killed, and their calls are answered", async () => {
  const broker = await starting(startNatsServer());
  await starting(startWorker({ url: broker.url }));
  const clients = await Promise.all(Array.from({ length: 200 }, () => connect(broker, { offlineMs: 20_000 })));

  await broker.kill();
  await broker.restart();
  const calls = clients.map(async (client, n) => {
    for (;;) {
      const outcome = await client.task<unknown, number>("work.add", { n }).catch((error: unknown) => error);
      if (typeof outcome === "number") return outcome;
      // The worker is not back yet, or the client has not noticed.
      if (!(outcome instanceof TunnelError && ["NO_RESPONDER", "BROKER_LOST"].includes(outcome.code))) throw outcome;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  expect(await Promise.all(calls)).toEqual(clients.map((_client, n) => n + 1));
  console.info("reconnect storm: 200 clients, 200 answered");
});
