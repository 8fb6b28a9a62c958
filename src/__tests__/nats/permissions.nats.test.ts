import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { globals, r, run } from "../../node";
import { natsConnection, natsEvents, natsExposure } from "../../node/nats";
import { createNatsClient } from "../../node/nats/client/natsClient";
import { resolveConnectionConfig } from "../../node/nats/connectionConfig";
import { Streams } from "../../node/nats/events/streams";
import { NatsLink } from "../../node/nats/link";
import { resolveVersions } from "../../node/nats/client/versions";
import { lockContract } from "../../tunnels/contract/contractLock";
import { rejectionOf } from "../support/failures";
import { createCleanups } from "./support/cleanups";
import { startNatsServer, type NatsServer } from "./support/natsServer";

const quiet = { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } } as const;
const cleanups = createCleanups();
afterEach(() => cleanups.run());

const connectionOf = ({ url }: NatsServer, user: string) => ({
  servers: url,
  credentials: { user, password: user },
  inboxPrefix: `_INBOX_${user}`,
});

async function linkOf(broker: NatsServer, user: string): Promise<NatsLink> {
  const link = await NatsLink.open(resolveConnectionConfig(connectionOf(broker, user)));
  cleanups.add(() => link.close());
  return link;
}

/**
 * The configuration of the guide, with the name of each user for its password.
 *
 * @param leftOut of what it has
 */
async function startFromGuide(leftOut = ""): Promise<NatsServer> {
  const guide = await readFile(join(__dirname, "../../../readmes/NATS.md"), "utf8");
  const conf = (/```conf\n(.*?)```/s.exec(guide)?.[1] ?? "").replace(leftOut, "");
  return cleanups.starting(
    startNatsServer(conf.replace(/\$([A-Z]+)_PASSWORD/g, (_all, name: string) => name.toLowerCase())),
  );
}

const charge = r
  .task("billing.charge")
  .run(async (cents: number) => cents)
  .build();

/** Replies with as much as it is asked for. */
const print = r
  .task("billing.print")
  .run(async ({ bytes = 0 }: { bytes?: number; noise?: string }) => randomBytes(bytes).toString("base64"))
  .build();

function startBilling(broker: NatsServer, user: string) {
  const tunnel = r
    .resource("billing.tunnel")
    .tags([globals.tags.tunnel])
    .init(async () => ({ mode: "server" as const, tasks: [charge.id, print.id] }))
    .build();
  const exposure = natsExposure.with({
    namespace: "acme",
    group: "billing",
    auth: { token: "s3cret" },
    contract: "hashes",
  });
  const root = r
    .resource("billing")
    .register([charge, print, tunnel, natsConnection.with(connectionOf(broker, user)), exposure])
    .build();
  return cleanups.starting(run(root, quiet));
}

it("the permissions of the guide let each service do what it is for", async () => {
  const broker = await startFromGuide();
  const streams = new Streams(await linkOf(broker, "operator"), "acme");
  await streams.ensureEvents();
  await streams.ensureDead();
  await startBilling(broker, "billing");
  const invoiced = r.event<{ n: number }>("billing.invoiced").build();
  const heard: number[] = [];
  const hook = r
    .hook("mailer.mail")
    .on(invoiced)
    .run(async ({ data }) => {
      heard.push(data.n);
      if (data.n === 13) throw new Error("poison");
    })
    .build();
  const events = natsEvents.with({ namespace: "acme", service: "mailer", events: [invoiced], maxDeliver: 1 });
  const connection = natsConnection.with(connectionOf(broker, "mailer"));
  await cleanups.starting(run(r.resource("mailer").register([invoiced, hook, connection, events]).build(), quiet));
  const link = await linkOf(broker, "gateway");
  const parts = { link, namespace: "acme", auth: { token: "s3cret" }, offlineMs: 1000 };

  expect(await createNatsClient(parts).task("billing.charge", 5)).toBe(5);
  const versions = resolveVersions(await lockContract({ tasks: [charge], events: [] }));
  expect(await createNatsClient({ ...parts, versions }).task("billing.charge", 6)).toBe(6);
  const publisher = createNatsClient({ ...parts, delivery: "durable" });
  await publisher.event("billing.invoiced", { n: 13 });
  await publisher.event("billing.invoiced", { n: 1 });
  const manager = await streams.manager();
  while ((await manager.streams.info("DLQ_acme")).state.messages < 1) await new Promise(setImmediate);
  while (!heard.includes(1)) await new Promise(setImmediate);

  expect(heard.sort()).toEqual([1, 13]);
});

it("the broker denies what its permissions leave out, and the error names the subject", async () => {
  const broker = await startFromGuide();
  const link = await linkOf(broker, "gateway");
  const client = createNatsClient({ link, namespace: "acme", offlineMs: 1000 });

  const call = await rejectionOf(client.task("payroll.raise", 5));
  const boot = await rejectionOf(startBilling(broker, "mailer"));

  expect(call).toMatchObject({ code: "BROKER_DENIED", details: { subject: "rt1.acme.t.payroll.raise" } });
  expect(boot).toMatchObject({
    code: "BROKER_DENIED",
    details: { subject: expect.stringMatching(/^rt1\.acme\.[tv]\./) },
  });
  const refused = await rejectionOf(
    NatsLink.open(
      resolveConnectionConfig({
        servers: broker.url,
        credentials: { user: "gateway", password: "no" },
        connectTimeoutMs: 1000,
      }),
    ),
  );
  expect(refused).toMatchObject({ code: "BROKER_OFFLINE" });
});

it("an event that the permissions leave out is refused at once, durable and as a call alike", async () => {
  const broker = await startFromGuide();
  await new Streams(await linkOf(broker, "operator"), "acme").ensureEvents();
  const link = await linkOf(broker, "billing");
  const parts = { link, namespace: "acme", offlineMs: 1000 };

  // It may not ask for the stream either, which comes first.
  const durable = createNatsClient({ ...parts, delivery: "durable" });
  expect(await rejectionOf(durable.event("billing.invoiced", {}))).toMatchObject({ code: "BROKER_DENIED" });
  const call = createNatsClient(parts).event("billing.invoiced", {});
  expect(await rejectionOf(call)).toMatchObject({
    code: "BROKER_DENIED",
    details: { subject: "rt1.acme.n.billing.invoiced" },
  });
});

it("a connection whose inbox is another service's is told so by its first call, and so is a second one", async () => {
  const broker = await startFromGuide();
  await startBilling(broker, "billing");
  const options = { ...connectionOf(broker, "gateway"), inboxPrefix: "_INBOX_mailer" };
  const link = await NatsLink.open(resolveConnectionConfig(options));
  cleanups.add(() => link.close());
  const client = createNatsClient({ link, namespace: "acme", auth: { token: "s3cret" }, offlineMs: 1000 });

  for (const cents of [1, 2]) {
    expect(await rejectionOf(client.task("billing.charge", cents))).toMatchObject({ code: "BROKER_DENIED" });
  }
});

it("a service that may not read the stream of events rejects its boot, and names what it may not", async () => {
  const broker = await startFromGuide();
  const invoiced = r.event<{ n: number }>("billing.invoiced").build();
  const events = natsEvents.with({ namespace: "acme", service: "spy", events: [invoiced] });
  const root = r.resource("spy").register([invoiced, natsConnection.with(connectionOf(broker, "billing")), events]);

  expect(await rejectionOf(run(root.build(), quiet))).toMatchObject({ code: "BROKER_DENIED" });
});

it("a durable service that may not hear what leaves as fan-out says so, and hears what is durable", async () => {
  const broker = await startFromGuide(', "rt1.acme.f.>"');
  const link = await linkOf(broker, "operator");
  await new Streams(link, "acme").ensureEvents();
  const invoiced = r.event<{ n: number }>("billing.invoiced").build();
  let onHeard!: (n: number) => void;
  const heard = new Promise<number>((resolve) => (onHeard = resolve));
  const hook = r
    .hook("mailer.mail")
    .on(invoiced)
    .run(async ({ data }) => onHeard(data.n))
    .build();
  const logs: unknown[] = [];
  const listen = r
    .resource("mailer.logs")
    .dependencies({ logger: globals.resources.logger })
    .init(async (_config, { logger }) => void logger.onLog(({ message }) => void logs.push(message)))
    .build();
  const events = natsEvents.with({ namespace: "acme", service: "mailer", events: [invoiced] });
  const connection = natsConnection.with(connectionOf(broker, "mailer"));
  const root = r.resource("mailer").register([invoiced, hook, listen, connection, events]).build();
  await cleanups.starting(run(root, quiet));

  await createNatsClient({ link, namespace: "acme", offlineMs: 1000, delivery: "durable" }).event(invoiced.id, {
    n: 1,
  });

  expect(await heard).toBe(1);
  expect(logs).toContain("events.nats.failed");
});

it("a body that may not be kept in the bucket ends its call at once, on the way there and on the way back", async () => {
  const broker = await startFromGuide();
  await startBilling(broker, "billing");
  const link = await linkOf(broker, "gateway");
  const client = createNatsClient({ link, namespace: "acme", auth: { token: "s3cret" }, offlineMs: 1000 });

  const sent = await rejectionOf(client.task("billing.print", { noise: randomBytes(600_000).toString("base64") }));
  const replied = await rejectionOf(client.task("billing.print", { bytes: 600_000 }));

  expect(sent).toMatchObject({ code: "BROKER_DENIED" });
  expect(replied).toMatchObject({ code: "INTERNAL_ERROR" });
});
