import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Errors, globals, r, run } from "../../node";
import {
  natsConnection,
  natsIdempotencyStore,
  type NatsCredentials,
  type NatsIdempotencyStoreConfig,
} from "../../node/nats";
import { describeIdempotencyStore } from "../support/describeIdempotencyStore";
import { rejectionOf } from "../support/failures";
import { createCleanups } from "./support/cleanups";
import { startNatsServer } from "./support/natsServer";

const quiet = { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } } as const;

/** A run with a connection and a store of its own. */
async function openStore(
  servers: string,
  config: Partial<NatsIdempotencyStoreConfig> = {},
  credentials?: NatsCredentials,
) {
  const store = natsIdempotencyStore.with({ namespace: "acme", ...config });
  const app = await run(
    r
      .resource("app")
      .register([natsConnection.with({ servers, credentials }), store])
      .build(),
    quiet,
  );
  return { app, store: app.getResourceValue(natsIdempotencyStore) };
}

describeIdempotencyStore("the store over NATS", {
  // Both have learned the time of the broker, up to what a message takes on a busy machine.
  settleMs: 200,
  async open() {
    const broker = await startNatsServer();
    const servers = await Promise.all([openStore(broker.url), openStore(broker.url)]);
    const [{ store: first }, { store: second }] = servers;
    return {
      first,
      second,
      async [Symbol.asyncDispose]() {
        for (const { app } of servers) await app.dispose();
        await broker[Symbol.asyncDispose]();
      },
    };
  },
});

const cleanups = createCleanups();
afterEach(cleanups.run);

const hash = "a".repeat(64);
const times = { ttlMs: 60_000, leaseMs: 60_000 };

it("a broker that is away makes the store over NATS refuse calls with 503, and it remembers replies once the broker is back", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const runs: string[] = [];
  const charge = r
    .task("billing.charge")
    .tags([globals.tags.idempotent.with({ key: (id: string) => id, store: natsIdempotencyStore })])
    .run(async (id: string) => {
      runs.push(id);
      return `receipt of ${id}`;
    })
    .build();
  const store = natsIdempotencyStore.with({ namespace: "acme", offlineMs: 50 });
  const root = r
    .resource("app")
    .register([charge, natsConnection.with({ servers: broker.url }), store])
    .dependencies({ charge })
    .init(async (_config: void, deps) => deps)
    .build();
  const app = await cleanups.starting(run(root, quiet));

  const first = await app.value.charge("o1");
  await broker.kill();
  const refusals = [await rejectionOf(app.value.charge("o1")), await rejectionOf(app.value.charge("o2"))];
  await broker.restart();
  let again: string | undefined;
  while (again === undefined) again = await app.value.charge("o1").catch(() => undefined);

  expect(refusals.map((error) => Errors.idempotencyUnavailableError.is(error) && error.httpCode)).toEqual([503, 503]);
  expect([first, again, runs]).toEqual(["receipt of o1", "receipt of o1", ["o1"]]);
});

it("a task that wants its replies remembered for longer than the bucket keeps them is refused, rather than run twice", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const { app, store } = await openStore(broker.url, { maxTtlMs: 60_000 });
  await cleanups.starting(app);
  // Made by the first, and not altered by the second.
  const later = await openStore(broker.url, { maxTtlMs: 600_000 });
  await cleanups.starting(later.app);

  expect(await store.begin("k", hash, times)).toEqual({ state: "new" });
  await expect(later.store.begin("other", hash, { ...times, ttlMs: 60_001 })).rejects.toThrow(
    "forgets after 60000 ms, and a task wants 60001 ms",
  );
});

it("the permissions of the guide are all that the store over NATS needs", async () => {
  const guide = await readFile(join(__dirname, "../../../readmes/IDEMPOTENCY.md"), "utf8");
  const subjects = [...guide.matchAll(/`(\$(?:KV|JS)\.\S+)`/g)].flatMap(([, subject = ""]) => {
    const [, before, names = "", after] = /^(.*)\{(.*)\}(.*)$/.exec(subject) ?? [];
    return before === undefined ? [subject] : names.split(",").map((name) => before + name + after);
  });
  const publish = JSON.stringify(subjects);
  const permissions = `{ publish: ${publish}, subscribe: "_INBOX.>" }`;
  const users = `{ user: billing, password: billing, permissions: ${permissions} }`;
  const broker = await cleanups.starting(startNatsServer(`authorization { users: [${users}] }`));
  const { app, store } = await openStore(broker.url, {}, { user: "billing", password: "billing" });
  await cleanups.starting(app);

  expect(subjects).toHaveLength(5);
  expect([await store.begin("k", hash, times), await store.begin("k", hash, times)]).toEqual([
    { state: "new" },
    { state: "running" },
  ]);
  expect([await store.renew("k"), await store.finish("k", "reply")]).toEqual([true, true]);
});

it("a bucket that was deleted is made anew", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const { app, store } = await openStore(broker.url);
  await cleanups.starting(app);
  await store.begin("k", hash, times);

  const { connect } = await import("@nats-io/transport-node");
  const { Kvm } = await import("@nats-io/kv");
  const connection = await connect({ servers: broker.url });
  await (await new Kvm(connection).open("rt1_acme_idempotency")).destroy();
  await connection.close();

  await rejectionOf(store.begin("k", hash, times));
  expect(await store.begin("k", hash, times)).toEqual({ state: "new" });
});
