import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { r, run, TunnelError } from "../../node";
import { natsConnection, natsEvents, type NatsEventsConfig } from "../../node/nats";
import { createNatsClient } from "../../node/nats/client/natsClient";
import { resolveConnectionConfig } from "../../node/nats/connectionConfig";
import { NatsLink } from "../../node/nats/link";
import { createCleanups } from "./support/cleanups";
import { startNatsServer, type NatsServer } from "./support/natsServer";
import { startHearer } from "./support/startHearer";
import { quiet } from "./support/startServing";

const cleanups = createCleanups();
afterEach(() => cleanups.run());

interface Counted {
  readonly key: string;
  readonly n: number;
}
const counted = r.event<Counted>("test.counted").build();

async function publisherTo(broker: NatsServer) {
  const link = await NatsLink.open(resolveConnectionConfig({ servers: broker.url }));
  cleanups.add(() => link.close());
  return createNatsClient({ link, namespace: "acme", offlineMs: 1000, delivery: "durable" });
}

function listening(broker: NatsServer, config: Partial<NatsEventsConfig>, onHeard: (data: Counted) => unknown) {
  const hook = r
    .hook("listener.hear")
    .on(counted)
    .run(async ({ data }) => void (await onHeard(data)))
    .build();
  const events = natsEvents.with({ namespace: "acme", service: "ledger", events: [counted], ...config });
  const items = [counted, hook, natsConnection.with({ servers: broker.url }), events];
  return cleanups.starting(run(r.resource("listener").register(items).build(), quiet));
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A hook that fails over the first event once, when all are published. */
function failingOnce() {
  const heard: number[] = [];
  let release!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  const hear = async ({ n }: Counted): Promise<void> => {
    heard.push(n);
    if (heard.length > 1) return;
    await released;
    throw new Error("not this time");
  };
  return { heard, hear, release: () => release() };
}

it("an event whose hook fails once is tried again before the hook sees the next event of the same key", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const { heard, hear, release } = failingOnce();
  await listening(broker, { partitionBy: { [counted.id]: ({ key }: Counted) => key }, backoffMs: [200] }, hear);
  const client = await publisherTo(broker);

  await client.event(counted.id, { key: "a", n: 1 });
  await client.event(counted.id, { key: "a", n: 2 });
  release();
  await until(() => heard.includes(2));

  expect(heard).toEqual([1, 1, 2]);
});

it("with maxInFlight 1 an event whose hook fails once is tried again before any process of the service gets the next one", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const { heard, hear, release } = failingOnce();
  for (let count = 0; count < 2; count++) await listening(broker, { maxInFlight: 1, backoffMs: [200] }, hear);
  const client = await publisherTo(broker);

  await client.event(counted.id, { key: "a", n: 1 });
  await client.event(counted.id, { key: "a", n: 2 });
  release();
  await until(() => heard.includes(2));

  expect(heard).toEqual([1, 1, 2]);
});

const total = 400;
const keys = ["a", "b", "c", "d"];

/** Publishes until the stream has it: the broker is away meanwhile. */
async function insist(publish: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const failure = await publish().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    expect(failure).toBeInstanceOf(TunnelError);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it("two processes with maxInFlight 1 keep the order of each key, although the broker is killed and restarted", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const dir = await mkdtemp(join(tmpdir(), "runner-order-"));
  cleanups.add(() => rm(dir, { recursive: true, force: true }));
  // Both append to one file, so that its lines are in the order in which the hooks have run.
  const file = join(dir, "heard");
  const start = () => cleanups.starting(startHearer({ url: broker.url, service: "ledger", file, maxInFlight: 1 }));
  const pids = (await Promise.all([start(), start()])).map(({ pid }) => pid);
  const client = await publisherTo(broker);
  let published = 0;
  let restarted: Promise<void> | undefined;
  const lines = async (): Promise<string[]> =>
    (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean);

  await Promise.all(
    keys.map(async (key, lane) => {
      for (let n = lane; n < total; n += keys.length) {
        await insist(() => client.event(counted.id, { key, n }));
        published += 1;
        if (published === total / 2) restarted = broker.kill().then(() => broker.restart());
      }
    }),
  );
  await restarted;
  await until(async () => new Set((await lines()).map((line) => line.split(" ")[1])).size === total);

  const heard = (await lines()).map((line) => line.split(" "));
  const orderOf = (wanted: string): number[] => [
    ...new Set(heard.filter(([key]) => key === wanted).map(([, n]) => Number(n))),
  ];
  for (const [lane, key] of keys.entries()) {
    const sent = Array.from({ length: total / keys.length }, (_each, index) => lane + index * keys.length);
    expect(orderOf(key)).toEqual(sent);
  }
  // Otherwise one process would have kept the order by itself.
  expect(new Set(heard.map(([, , pid]) => Number(pid)))).toEqual(new Set(pids));
  console.info(
    `two processes, broker restarted: ${total} published, ${heard.length - total} twice, order per key kept`,
  );
});
