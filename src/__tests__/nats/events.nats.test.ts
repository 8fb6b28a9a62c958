import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { r, run, TunnelError, type EventDeliveryMode } from "../../node";
import { natsClient, natsConnection, natsEvents, type NatsEventsConfig } from "../../node/nats";
import { createNatsClient } from "../../node/nats/client/natsClient";
import { resolveConnectionConfig } from "../../node/nats/connectionConfig";
import { Streams } from "../../node/nats/events/streams";
import { NatsLink } from "../../node/nats/link";
import type { TransportLayer } from "../../tunnels/client/carrier";
import { emissionIdHeader } from "../../tunnels/protocol/headers";
import { rejectionOf } from "../support/failures";
import { createCleanups } from "./support/cleanups";
import { startNatsServer, type NatsServer } from "./support/natsServer";
import { startHearer } from "./support/startHearer";

const quiet = { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } } as const;
const cleanups = createCleanups();
afterEach(() => cleanups.run());

async function linkTo(broker: NatsServer): Promise<NatsLink> {
  const link = await NatsLink.open(resolveConnectionConfig({ servers: broker.url }));
  cleanups.add(() => link.close());
  return link;
}

const publisherOf = (link: NatsLink, options: object = {}) =>
  createNatsClient({ link, namespace: "acme", offlineMs: 1000, delivery: "durable", ...options });

async function tempFile(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "runner-heard-"));
  cleanups.add(() => rm(dir, { recursive: true, force: true }));
  return join(dir, "heard");
}

const linesOf = async (file: string): Promise<string[]> =>
  (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean);

/** Looks again until something holds. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Publishes until the stream has it. */
async function insist(publish: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const failure = await publish().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    expect(failure).toBeInstanceOf(TunnelError);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const total = 10_000;
const keyOf = (n: number): string => `k${n % 16}`;

/** What was heard of `total` numbers. */
async function countHeard(files: readonly string[]) {
  const lines = (await Promise.all(files.map(linesOf))).flat();
  const heard = new Set(lines.map((line) => Number(line.split(" ")[1])));
  return { heard: heard.size, lost: total - heard.size, twice: lines.length - heard.size, lines };
}

async function publishAll(client: ReturnType<typeof publisherOf>, onPublished: (count: number) => void): Promise<void> {
  let published = 0;
  // One publisher per key, so that the numbers of each go in order.
  const publish = async (lane: number): Promise<void> => {
    for (let n = lane; n < total; n += 16) {
      await insist(() => client.event("test.counted", { key: keyOf(n), n }));
      onPublished((published += 1));
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_each, lane) => publish(lane)));
}

it("durable events all arrive, in order of their key, although the broker is killed and restarted under load", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const file = await tempFile();
  await cleanups.starting(startHearer({ url: broker.url, service: "ledger", file, ordered: true }));
  const client = publisherOf(await linkTo(broker));
  let restarted: Promise<void> | undefined;

  await publishAll(client, (count) => {
    if (count === 4000) restarted = broker.kill().then(() => broker.restart());
  });
  await restarted;
  await until(async () => (await countHeard([file])).heard === total);

  const { heard, lost, twice, lines } = await countHeard([file]);
  expect(lost).toBe(0);
  const firsts = new Map<string, number[]>();
  const seen = new Set<string>();
  for (const line of lines) {
    if (seen.has(line)) continue;
    seen.add(line);
    const [key = "", n] = line.split(" ");
    firsts.set(key, [...(firsts.get(key) ?? []), Number(n)]);
  }
  for (const numbers of firsts.values()) expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  console.info(
    `broker restarted: ${total} published, ${heard} heard, ${lost} lost, ${twice} twice, order per key kept`,
  );
});

it("durable events all arrive although one of two processes of their service is killed", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const files = [await tempFile(), await tempFile()];
  const hearers = await Promise.all(
    files.map((file) => cleanups.starting(startHearer({ url: broker.url, service: "mailer", file }))),
  );
  const client = publisherOf(await linkTo(broker));

  await publishAll(client, (count) => {
    if (count === 5000) process.kill((hearers[0] as { pid: number }).pid, "SIGKILL");
  });
  await until(async () => (await countHeard(files)).heard === total);

  const { heard, lost, twice } = await countHeard(files);
  expect(lost).toBe(0);
  console.info(`hearer killed: ${total} published, ${heard} heard, ${lost} lost, ${twice} twice`);
});

const audit = r.event<{ n: number }>("test.audit").build();

/** An application whose hook tells what it hears, and may fail. */
function listening(
  broker: NatsServer,
  config: Partial<NatsEventsConfig>,
  onHeard: (n: number) => void,
  items: never[] = [],
) {
  const hook = r
    .hook("listener.hear")
    .on(audit)
    .run(async ({ data }) => onHeard(data.n))
    .build();
  const events = natsEvents.with({ namespace: "acme", service: "audits", events: [audit], ...config });
  return cleanups.starting(
    run(
      r
        .resource("listener")
        .register([audit, hook, natsConnection.with({ servers: broker.url }), events, ...items])
        .build(),
      quiet,
    ),
  );
}

it("an event that is published twice under one id is heard once", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const heard: number[] = [];
  await listening(broker, {}, (n) => void heard.push(n));
  const same = { [emissionIdHeader]: "0123456789abcdef0123456789abcdef" };
  const renamed: TransportLayer = (next) => (request) => next({ ...request, headers: { ...request.headers, ...same } });
  const client = publisherOf(await linkTo(broker), { around: [renamed] });

  await client.event("test.audit", { n: 1 });
  await client.event("test.audit", { n: 1 });
  await publisherOf(await linkTo(broker)).event("test.audit", { n: 2 });
  await until(() => heard.includes(2));

  expect(heard).toEqual([1, 2]);
});

it("an event that is too large for a message is compressed, and refused where that does not make it small enough", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const heard: number[] = [];
  await listening(broker, { partitionBy: { [audit.id]: ({ n }: { n: number }) => String(n) } }, (n) => {
    heard.push(n);
  });
  const client = publisherOf(await linkTo(broker));
  const noise = randomBytes(600_000).toString("base64");

  await client.event(audit.id, { n: 1, text: "x".repeat(3_000_000) });
  const refused = await rejectionOf(client.event(audit.id, { n: 2, text: noise }));
  await client.event(audit.id, { n: 3 });
  await until(() => heard.length === 2);

  expect(heard.sort()).toEqual([1, 3]);
  expect(refused).toMatchObject({ code: "PAYLOAD_TOO_LARGE", details: { limitBytes: 524_288, delivered: "no" } });
  const { bytes } = (refused as TunnelError).details as { bytes: number };
  expect(bytes).toBeGreaterThan(590_000);
  expect(refused.message).toContain(`"${audit.id}" takes ${bytes} bytes, compressed, and an event may take 524288.`);
  expect(refused.message).toContain("keep what is large in a store of yours, and send where it is");
});

it("each service hears an event, and one of its processes does", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const heard: string[] = [];
  await listening(broker, { service: "one" }, (n) => void heard.push(`one ${n}`));
  await listening(broker, { service: "two" }, (n) => void heard.push(`two ${n}`));
  await listening(broker, { service: "two" }, (n) => void heard.push(`two ${n}`));

  await publisherOf(await linkTo(broker)).event("test.audit", { n: 1 });
  await until(() => heard.length >= 2);

  expect(heard.sort()).toEqual(["one 1", "two 1"]);
});

it("an event that leaves as fan-out is heard in each process that listens, and kept by none", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const heard: string[] = [];
  await listening(broker, { mode: "fanout" }, () => void heard.push("a"));
  await listening(broker, { mode: "fanout" }, () => void heard.push("b"));

  await publisherOf(await linkTo(broker), { delivery: "fanout" }).event("test.audit", { n: 1 });
  await until(() => heard.length >= 2);

  expect(heard.sort()).toEqual(["a", "b"]);
});

it("a listener of either kind hears what leaves as the other kind, and one process of a service does where it is durable", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const heard: string[] = [];
  await listening(broker, { mode: "fanout" }, (n) => void heard.push(`live ${n}`));
  for (let count = 0; count < 2; count++) {
    await listening(broker, { mode: "durable" }, (n) => void heard.push(`service ${n}`));
  }

  await publisherOf(await linkTo(broker)).event("test.audit", { n: 1 });
  await publisherOf(await linkTo(broker), { delivery: "fanout" }).event("test.audit", { n: 2 });
  await until(() => heard.length >= 4);

  expect(heard.sort()).toEqual(["live 1", "live 2", "service 1", "service 2"]);
});

it("a hook that fails is tried again, with a pause, and the event is given up after that", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const tried: number[] = [];
  await listening(broker, { maxDeliver: 3, backoffMs: [10, 20] }, (n) => {
    tried.push(n);
    if (n === 13) throw new Error("poison");
  });
  const link = await linkTo(broker);
  const client = publisherOf(link);

  await client.event("test.audit", { n: 13 });
  await client.event("test.audit", { n: 1 });
  await until(() => tried.filter((n) => n === 13).length === 3 && tried.includes(1));

  const { streams } = await new Streams(link, "acme").manager();
  await until(async () => (await streams.info("DLQ_acme").catch(() => undefined))?.state.messages === 1);
  const dead = await streams.getMessage("DLQ_acme", { seq: 1 });
  expect(dead?.header.get("x-runner-dead-message")).toContain("poison");
  expect(dead?.header.get("x-runner-dead-deliveries")).toBe("3");
  expect(tried.filter((n) => n === 13)).toHaveLength(3);
});

it("an event that its emitter may not send is given up at once", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const heard: number[] = [];
  await listening(broker, { auth: { token: "s3cret" } }, (n) => void heard.push(n));
  const link = await linkTo(broker);

  await publisherOf(link, { auth: { token: "guessed" } }).event("test.audit", { n: 1 });
  await publisherOf(link, { auth: { token: "s3cret" } }).event("test.audit", { n: 2 });
  await until(() => heard.includes(2));

  const { streams } = await new Streams(link, "acme").manager();
  await until(async () => (await streams.info("DLQ_acme").catch(() => undefined))?.state.messages === 1);
  expect((await streams.getMessage("DLQ_acme", { seq: 1 }))?.header.get("x-runner-dead-code")).toBe("UNAUTHORIZED");
  expect(heard).toEqual([2]);
});

it("a stream that exists and does not fit is left as it is, and the boot says what is wrong", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const { streams } = await new Streams(await linkTo(broker), "acme").manager();
  await streams.add({ name: "EV_acme", subjects: ["other.>"] });

  const error = await rejectionOf(listening(broker, {}, () => {}));

  expect(error).toMatchObject({ code: "STREAM_MISMATCH", details: { name: "EV_acme" } });
  expect((await streams.info("EV_acme")).config.subjects).toEqual(["other.>"]);
});

/** A service that emits an event and hears it, in one mode. */
async function emitterAndListener(broker: NatsServer, eventDeliveryMode: EventDeliveryMode, heard: string[]) {
  const emit = r
    .task("app.emit")
    .dependencies({ audit })
    .run(async (n: number, deps) => deps.audit({ n }))
    .build();
  const local = r
    .hook("app.local")
    .on(audit)
    .run(async () => void heard.push("here"))
    .build();
  const tunnel = r.tunnel
    .client("app.audits")
    .events([audit], { eventDeliveryMode })
    .connect(natsClient({ namespace: "acme", events: "durable", offlineMs: 50 }))
    .build();
  const app = await cleanups.starting(
    run(
      r
        .resource("app")
        .register([audit, emit, local, tunnel, natsConnection.with({ servers: broker.url })])
        .build(),
      quiet,
    ),
  );
  return (n: number) => app.runTask(emit, n);
}

it.each([
  ["mirror", ["here", "there"], "BROKER_OFFLINE", ["here"]],
  ["remote-only", ["there"], "BROKER_OFFLINE", []],
  ["remote-first", ["there"], undefined, ["here"]],
  ["local-only", ["here"], undefined, ["here"]],
] as const)(
  "the delivery mode %s means over a broker what it means everywhere",
  async (mode, online, code, offline) => {
    const broker = await cleanups.starting(startNatsServer());
    const heard: string[] = [];
    await listening(broker, {}, () => void heard.push("there"));
    const emit = await emitterAndListener(broker, mode, heard);

    await emit(1);
    await until(() => heard.length >= online.length);
    expect(heard.splice(0).sort()).toEqual([...online].sort());

    await broker.kill();
    const failure = await emit(2).then(
      () => undefined,
      (error: TunnelError) => error.code,
    );
    // A connection that was not known to be lost yet says that the event may have left.
    expect(failure === "BROKER_LOST" ? "BROKER_OFFLINE" : failure).toBe(code);
    expect(heard).toEqual([...offline]);
  },
);

it.each([
  ["durable", "durable"],
  ["durable", "fanout"],
  ["fanout", "durable"],
  ["fanout", "fanout"],
] as const)(
  "a service that emits and hears an event hears it once in all, whatever the delivery mode, where it leaves as %s and the service listens as %s",
  async (delivery, mode) => {
    const broker = await cleanups.starting(startNatsServer());
    for (const eventDeliveryMode of ["remote-only", "remote-first", "mirror"] as const) {
      const heard: string[] = [];
      const namespace = eventDeliveryMode;
      const emit = r
        .task("app.emit")
        .dependencies({ audit })
        .run(async (n: number, deps) => deps.audit({ n }))
        .build();
      const hook = r
        .hook("app.hear")
        .on(audit)
        .run(async ({ data }) => void heard.push(`${data.n}`))
        .build();
      const tunnel = r.tunnel
        .client("app.audits")
        .events([audit], { eventDeliveryMode })
        .connect(natsClient({ namespace, events: delivery }))
        .build();
      const events = natsEvents.with({ namespace, service: "same", events: [audit], mode });
      const app = await cleanups.starting(
        run(
          r
            .resource("app")
            .register([audit, emit, hook, tunnel, natsConnection.with({ servers: broker.url }), events])
            .build(),
          quiet,
        ),
      );

      await app.runTask(emit, 1);
      await app.runTask(emit, 2);
      const link = await linkTo(broker);
      await createNatsClient({ link, namespace, offlineMs: 1000, delivery }).event("test.audit", { n: 3 });
      await until(() => heard.includes("3") && heard.length >= 3);

      expect({ eventDeliveryMode, heard: heard.sort() }).toEqual({ eventDeliveryMode, heard: ["1", "2", "3"] });
    }
  },
);
