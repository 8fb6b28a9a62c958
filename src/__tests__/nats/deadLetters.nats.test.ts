import { join } from "node:path";
import { r, run } from "../../node";
import { natsConnection, natsEvents } from "../../node/nats";
import { createNatsClient } from "../../node/nats/client/natsClient";
import { resolveConnectionConfig } from "../../node/nats/connectionConfig";
import { NatsLink } from "../../node/nats/link";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { runProgram } from "../support/runProgram";
import { createCleanups } from "./support/cleanups";
import { startNatsServer } from "./support/natsServer";

const cleanups = createCleanups();
beforeAll(ensureBuilt, buildTimeoutMs);
afterEach(() => cleanups.run());

const root = join(__dirname, "../../..");

it("the command lists what a service has given up, plays it again for that service, and drops it", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const dlq = async (...args: string[]) => {
    const shared = ["--namespace", "acme", "--server", broker.url];
    const { exitCode, stdout, stderr } = await runProgram([
      join(root, "dist/cli.js"),
      "events",
      "dlq",
      ...args,
      ...shared,
    ]);
    return { exitCode, out: stdout.trim() + stderr.trim() };
  };
  const audit = r.event<{ n: number }>("test.audit").build();
  const heard: string[] = [];
  let isBroken = true;
  const start = (service: string) => {
    const hook = r
      .hook("app.hear")
      .on(audit)
      .run(async ({ data }) => {
        if (service === "mailer" && isBroken) throw new Error("no\npostman");
        heard.push(`${service} ${data.n}`);
      })
      .build();
    const events = natsEvents.with({ namespace: "acme", service, events: [audit], maxDeliver: 2, backoffMs: [0] });
    const app = r
      .resource("app")
      .register([audit, hook, natsConnection.with({ servers: broker.url }), events])
      .build();
    return cleanups.starting(run(app, { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } }));
  };
  await start("mailer");
  await start("ledger");
  const link = await NatsLink.open(resolveConnectionConfig({ servers: broker.url }));
  cleanups.add(() => link.close());
  const client = createNatsClient({ link, namespace: "acme", offlineMs: 1000, delivery: "durable" });
  expect((await dlq("list")).out).toBe("No event was given up.");

  await client.event("test.audit", { n: 1 });
  await client.event("test.audit", { n: 2 });
  const listed = async () => (await dlq("list", "--json")).out.split("\n").filter(Boolean);
  while ((await listed()).length < 2);
  const [first] = (await listed()).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(first).toMatchObject({ sequence: 1, service: "mailer", event: "test.audit", deliveries: 2 });
  expect(first?.["message"]).toContain("no postman");

  isBroken = false;
  expect(await dlq("replay")).toMatchObject({ exitCode: 2 });
  expect(await dlq("replay", "--seq", "1")).toMatchObject({ exitCode: 0, out: "1 event published once more." });
  while (!heard.includes("mailer 1")) await new Promise(setImmediate);
  expect(await dlq("drop", "--service", "mailer", "--all")).toMatchObject({ exitCode: 0, out: "1 event dropped." });
  expect(await listed()).toEqual([]);
  expect(heard.sort()).toEqual(["ledger 1", "ledger 2", "mailer 1"]);
});

it("the command says that the broker is away", async () => {
  const args = ["events", "dlq", "list", "--namespace", "acme", "--server", "nats://127.0.0.1:1"];

  const { exitCode, stderr } = await runProgram([join(root, "dist/cli.js"), ...args]);

  expect(exitCode).toBe(5);
  expect(stderr).toContain("could not connect to nats://127.0.0.1:1");
});
