import type { ConsumerConfig } from "@nats-io/jetstream";
import type { Msg } from "@nats-io/transport-node";
import { r, run } from "../../node";
import { natsConnection, natsEvents, type NatsEventsConfig } from "../../node/nats";
import { createNatsClient } from "../../node/nats/client/natsClient";
import { resolveConnectionConfig } from "../../node/nats/connectionConfig";
import { Streams } from "../../node/nats/events/streams";
import { NatsLink } from "../../node/nats/link";
import { rejectionOf } from "../support/failures";
import { createCleanups } from "./support/cleanups";
import { startNatsServer, type NatsServer } from "./support/natsServer";

const cleanups = createCleanups();
afterEach(() => cleanups.run());

const audit = r.event<{ n: number }>("test.audit").build();
const other = r.event<{ n: number }>("test.other").build();

function listening(
  broker: NatsServer,
  config: Partial<NatsEventsConfig>,
  onHeard: (n: number) => void | Promise<void> = () => {},
) {
  const hook = r
    .hook("listener.hear")
    .on(audit)
    .run(async ({ data }) => onHeard(data.n))
    .build();
  const events = natsEvents.with({ namespace: "acme", service: "audits", events: [audit], ...config });
  const connection = natsConnection.with({ servers: broker.url });
  const items = [audit, other, hook, connection, events];
  return cleanups.starting(
    run(r.resource("listener").register(items).build(), {
      shutdownHooks: false,
      errorBoundary: false,
      logs: { printThreshold: null },
    }),
  );
}

async function start() {
  const broker = await cleanups.starting(startNatsServer());
  const link = await NatsLink.open(resolveConnectionConfig({ servers: broker.url }));
  cleanups.add(() => link.close());
  const streams = new Streams(link, "acme");
  const client = createNatsClient({ link, namespace: "acme", offlineMs: 1000, delivery: "durable" });
  return { broker, link, streams, manager: await streams.manager(), client };
}

it("each service has a durable consumer of its own for each event, which it pulls from", async () => {
  const { broker, manager } = await start();
  await listening(broker, { events: [audit, other], ackWaitMs: 7_000, maxInFlight: 5 });
  await listening(broker, { service: "mailer" });

  const consumers = await manager.consumers.list("EV_acme").next();

  expect(consumers.map(({ name }) => name).sort()).toEqual([
    "audits_test_audit",
    "audits_test_other",
    "mailer_test_audit",
  ]);
  expect((await manager.consumers.info("EV_acme", "audits_test_other")).config).toMatchObject({
    durable_name: "audits_test_other",
    filter_subject: "rt1.acme.e.test.other",
    ack_policy: "explicit",
    ack_wait: 7_000_000_000,
    max_ack_pending: 5,
    max_deliver: -1,
  });
  expect((await manager.streams.info("EV_acme")).config).toMatchObject({
    subjects: ["rt1.acme.e.>"],
    retention: "limits",
    max_age: 604_800_000_000_000,
    duplicate_window: 120_000_000_000,
  });
});

it.each<[string, Partial<ConsumerConfig>, Partial<NatsEventsConfig>, string]>([
  ["reads another subject", { filter_subject: "rt1.acme.e.test.other" }, {}, "it has to read rt1.acme.e.test.audit"],
  ["acknowledges all at once", { ack_policy: "all" }, {}, 'have to be explicit, not "all"'],
  ["is pushed", { deliver_subject: "elsewhere" }, {}, "it has to be pulled, and pushes to elsewhere"],
  ["delivers too seldom", { max_deliver: 5 }, {}, "it delivers 5 times at most, which has to be more than maxDeliver"],
  ["has more under way than is allowed", {}, { maxInFlight: 1 }, "it has 64 messages under way (max_ack_pending)"],
])(
  "a consumer that exists and %s is left as it is, and the boot says what is wrong",
  async (_what, changed, config, problem) => {
    const { broker, streams, manager } = await start();
    await streams.ensureEvents();
    const usual = { filter_subject: "rt1.acme.e.test.audit", ack_policy: "explicit", max_ack_pending: 64 } as const;
    await manager.consumers.add("EV_acme", { durable_name: "audits_test_audit", ...usual, ...changed });
    const { config: before } = await manager.consumers.info("EV_acme", "audits_test_audit");

    const error = await rejectionOf(listening(broker, config));

    expect(error).toMatchObject({ code: "STREAM_MISMATCH", details: { name: "audits_test_audit" } });
    expect(error.message).toContain(problem);
    expect((await manager.consumers.info("EV_acme", "audits_test_audit")).config).toEqual(before);
  },
);

it("a consumer that an operator has made otherwise, and that fits, is used as it is", async () => {
  const { broker, streams, manager, client } = await start();
  await streams.ensureEvents();
  await manager.consumers.add("EV_acme", {
    durable_name: "audits_test_audit",
    filter_subject: "rt1.acme.e.test.audit",
    ack_policy: "explicit",
    ack_wait: 9_000_000_000,
    max_deliver: 6,
    max_ack_pending: 3,
    description: "made by hand",
  });
  const { config: before } = await manager.consumers.info("EV_acme", "audits_test_audit");

  const heard = new Promise<number>((resolve) => void listening(broker, {}, resolve));
  await client.event(audit.id, { n: 1 });

  expect(await heard).toBe(1);
  expect((await manager.consumers.info("EV_acme", "audits_test_audit")).config).toEqual(before);
});

it("a stream that acknowledges nothing is refused at the boot, since whoever publishes waits for that", async () => {
  const { broker, manager } = await start();
  await manager.streams.add({ name: "EV_acme", subjects: ["rt1.acme.e.>"], no_ack: true });

  const error = await rejectionOf(listening(broker, {}));

  expect(error).toMatchObject({ code: "STREAM_MISMATCH", details: { name: "EV_acme" } });
  expect(error.message).toContain("it acknowledges nothing (no_ack)");
});

/** What is said of the messages of the consumer, in the order in which it is said. */
function acknowledgements(link: NatsLink, onSaid: (said: readonly string[], message: Msg) => void): string[] {
  const said: string[] = [];
  link.connection.subscribe("$JS.ACK.EV_acme.audits_test_audit.>", {
    callback(_error, message) {
      said.push(message.string());
      onSaid(said, message);
    },
  });
  return said;
}

it("an event whose hooks take longer than ackWaitMs is heard once: the broker is told at each half of it that they go on", async () => {
  const { broker, link, client } = await start();
  const heard: number[] = [];
  let finish!: () => void;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  // Seven halves: the broker would have handed it to another process three times.
  let said: readonly string[] = [];
  const goneOn = new Promise<void>((resolve) => {
    said = acknowledgements(link, ({ length }) => length === 7 && resolve());
  });
  await listening(broker, { ackWaitMs: 200 }, async (n) => {
    heard.push(n);
    await finished;
  });

  await client.event(audit.id, { n: 1 });
  await goneOn;

  expect({ heard, said }).toEqual({ heard: [1], said: new Array<string>(7).fill("+WPI") });
  finish();
});

it("an event that the broker hands to the same process again is not acknowledged before its hooks are done, and not lost if they fail", async () => {
  const { broker, link, client } = await start();
  const heard: string[] = [];
  let fail!: () => void;
  const failing = new Promise<void>((_resolve, reject) => (fail = () => reject(new Error("not this time"))));
  let said: string[] = [];
  const acknowledged = new Promise<void>((resolve) => {
    said = acknowledgements(link, (_said, { subject }) => {
      // As after too long a time without a sign of progress.
      if (said.length === 1) link.connection.publish(subject, "-NAK");
      if (said.length === 4) fail();
      if (said.at(-1) === "+ACK") resolve();
    });
  });
  await listening(broker, { ackWaitMs: 400, backoffMs: [0] }, async (n) => {
    heard.push(`begun ${n}`);
    if (heard.length === 1) await failing;
    heard.push(`done ${n}`);
  });

  await client.event(audit.id, { n: 1 });
  await acknowledged;

  expect(said.slice(0, 4)).toEqual(["+WPI", "-NAK", "+WPI", "+WPI"]);
  expect(heard).toEqual(["begun 1", "begun 1", "done 1"]);
});
