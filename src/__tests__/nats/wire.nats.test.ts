import { once } from "node:events";
import { randomBytes } from "node:crypto";
import type { Msg } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { Objm } from "@nats-io/obj";
import { r, run } from "../../node";
import { natsConnection, natsExposure } from "../../node/nats";
import { createNatsClient } from "../../node/nats/client/natsClient";
import { resolveConnectionConfig } from "../../node/nats/connectionConfig";
import { NatsLink } from "../../node/nats/link";
import { rejectionOf } from "../support/failures";
import { createCleanups } from "./support/cleanups";
import { startNatsServer, type NatsServer } from "./support/natsServer";

/** What passes the broker, looked at and made by hand. */
const cleanups = createCleanups();
let broker: NatsServer;
let link: NatsLink;
beforeEach(async () => {
  broker = await cleanups.starting(startNatsServer());
  link = await NatsLink.open(resolveConnectionConfig({ servers: broker.url }));
  cleanups.add(() => link.close());
});
afterEach(() => cleanups.run());

const auth = { token: "s3cret" };
const connect = () => createNatsClient({ link, namespace: "acme", auth, offlineMs: 1000 });

const headersOf = ({ headers }: Msg): Record<string, string[]> =>
  Object.fromEntries([...(headers ?? [])].sort(([one], [other]) => one.localeCompare(other)));

/** Answers calls of a subject in the place of a worker. */
function answer(subject: string, reply: string): Promise<Msg> {
  return new Promise((resolve) => {
    link.connection.subscribe(subject, {
      callback(_error, message) {
        message.respond(reply);
        resolve(message);
      },
    });
  });
}

async function serve(): Promise<void> {
  const echo = r
    .task("billing.echo")
    .run(async (input: unknown) => input)
    .build();
  const wait = r
    .task("billing.wait")
    .run(async (_input: unknown, _deps, { signal }) => {
      await once(signal, "abort");
      throw signal.reason;
    })
    .build();
  const tunnel = r.tunnel.server("billing.reachable").tasks([echo, wait]).build();
  const exposure = natsExposure.with({ namespace: "acme", group: "billing", auth });
  const items = [echo, wait, tunnel, natsConnection.with({ servers: broker.url }), exposure];
  await cleanups.starting(
    run(r.resource("billing").register(items).build(), {
      shutdownHooks: false,
      errorBoundary: false,
      logs: { printThreshold: null },
    }),
  );
}

it("a call is one message, whose subject is made of the id and whose headers are the token and what the caller states", async () => {
  const plain = answer("rt1.acme.t.billing.charge", '{"ok":true,"result":1}');
  const stated = answer("rt1.acme.t.billing.to%20be%20sure%3F", '{"ok":true,"result":2}');
  const client = connect();
  const options = { idempotencyKey: "order-7", timeoutMs: 60_000 };

  expect(await client.task("billing.charge", { cents: 5 })).toBe(1);
  expect(await client.task("billing.to be sure?", "y", options)).toBe(2);

  const [first, second] = [await plain, await stated];
  expect(first.string()).toBe('{"input":{"cents":5}}');
  expect(headersOf(first)).toEqual({ "x-runner-token": ["s3cret"] });
  expect(headersOf(second)).toEqual({
    "x-runner-deadline-ms": [expect.stringMatching(/^(60000|59\d{3})$/)],
    "x-runner-idempotency-key": ["order-7"],
    "x-runner-sent-at": [expect.stringMatching(/^\d{13}$/)],
    "x-runner-token": ["s3cret"],
  });
});

it("a reply is one message: without headers where the call has succeeded, else with its status and the id of its request", async () => {
  await serve();
  const ask = (subject: string, headers: Record<string, string>) =>
    link.connection.request(subject, '{"input":"hello"}', { timeout: 10_000, headers: link.headersOf(headers) });

  const good = await ask("rt1.acme.t.billing.echo", { "x-runner-token": "s3cret" });
  expect([good.headers, good.string()]).toEqual([undefined, '{"ok":true,"result":"hello"}']);

  const refused = await ask("rt1.acme.t.billing.echo", { "X-Runner-Token": "guess", "x-runner-request-id": "mine" });
  expect(headersOf(refused)).toEqual({ "x-runner-request-id": ["mine"], "x-runner-status": ["401"] });
  expect(refused.json()).toMatchObject({ ok: false, error: { code: "UNAUTHORIZED" } });
});

it("headers that break a record are no headers of a call", async () => {
  await serve();
  const headers = link.headersOf({ "x-runner-token": "s3cret", __proto__x: "1" });
  headers.append("__proto__", "a");
  headers.append("__proto__", "b");

  const reply = await link.connection.request("rt1.acme.t.billing.echo", '{"input":1}', { timeout: 10_000, headers });

  expect(reply.json()).toEqual({ ok: true, result: 1 });
});

it("a call that lasts gets a frame that says which worker has accepted it, and beats after that, until it is cancelled", async () => {
  await serve();
  const inbox = link.connection.subscribe("replies");
  const headers = link.headersOf({ "x-runner-token": "s3cret" });
  link.connection.publish("rt1.acme.t.billing.wait", "{}", { reply: "replies", headers });
  const frames: Record<string, string[]>[] = [];
  for await (const message of inbox) {
    frames.push(headersOf(message));
    const worker = message.headers?.get("x-runner-worker");
    if (frames.length === 2) link.connection.publish(`rt1.acme.c.${worker}`, "replies");
    if (frames.length === 3) break;
  }

  const worker = [expect.stringMatching(/^[\da-f]{32}$/)];
  expect(frames).toEqual([
    { "x-runner-frame": ["accepted"], "x-runner-worker": worker },
    { "x-runner-frame": ["beat"], "x-runner-worker": worker },
    { "x-runner-request-id": [expect.any(String)], "x-runner-status": ["499"] },
  ]);
});

it("a call whose deadline is at most two seconds gets neither that frame nor beats, only its reply", async () => {
  await serve();
  const inbox = link.connection.subscribe("replies.*");
  const ask = (name: string, deadlineMs: string) => {
    const headers = link.headersOf({ "x-runner-token": "s3cret", "x-runner-deadline-ms": deadlineMs });
    link.connection.publish("rt1.acme.t.billing.wait", "{}", { reply: `replies.${name}`, headers });
  };
  ask("short", "2000");
  ask("long", "2001");
  const heard: Record<string, (string | undefined)[]> = { short: [], long: [] };
  let replies = 0;
  for await (const { subject, headers } of inbox) {
    const frame = headers?.get("x-runner-frame") || undefined;
    heard[subject.slice("replies.".length)]?.push(frame);
    if (frame === undefined && (replies += 1) === 2) break;
  }

  expect(heard["short"]).toEqual([undefined]);
  expect(heard["long"]?.[0]).toBe("accepted");
});

it("a body that compresses well is one message, both ways, and no bucket is made for it", async () => {
  await serve();
  const large = "x".repeat(2_000_000);
  const seen: Msg[] = [];
  link.connection.subscribe("rt1.acme.t.>", { callback: (_error, message) => void seen.push(message) });
  const client = connect();

  expect((await client.task<string, string>("billing.echo", large)) === large).toBe(true);

  expect(seen.map((message) => [message.headers?.get("content-encoding"), message.data.length < 524_288])).toEqual([
    ["gzip", true],
  ]);
  const { streams } = await jetstreamManager(link.connection);
  expect((await streams.list().next()).map(({ config }) => config.name)).toEqual([]);
});

it("the bucket of large bodies keeps none once their calls have settled, and drops what is left over by its time", async () => {
  await serve();
  const client = connect();
  const large = randomBytes(700_000).toString("base64");

  expect((await client.task<string, string>("billing.echo", large)) === large).toBe(true);
  await rejectionOf(client.task("billing.missing", large));

  const bucket = await new Objm(link.connection).open("rt1_acme_blobs");
  // What is deleted is so without anything waiting for it.
  while ((await bucket.list()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const { streamInfo } = await bucket.status();
  expect(streamInfo.config.max_age).toBe(600_000_000_000);
  expect(streamInfo.state.bytes).toBeLessThan(10_000);
});
