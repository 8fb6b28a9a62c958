import { startNatsServer } from "../../../src/__tests__/nats/support/natsServer";
import { buildTimeoutMs, ensureBuilt } from "../../../src/__tests__/support/ensureBuilt";
import { asPlaced, killedBetween, runKilledBetween, runOrders } from "../../../src/__tests__/support/runOrders";

beforeAll(ensureBuilt, buildTimeoutMs);

it("every order is paid once and mailed while workers and mailer are killed, over NATS", async () => {
  await using broker = await startNatsServer();

  const { exitCode, stdout, stderr } = await runOrders("nats", { NATS_URL: broker.url });

  expect(stdout).toMatch(asPlaced("nats"));
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
}, 160_000);

it("an order whose worker is killed between the effect and its reply is paid once and answered, over NATS", async () => {
  await using broker = await startNatsServer();

  expect(await runKilledBetween("nats", { NATS_URL: broker.url })).toEqual(killedBetween("nats"));
}, 160_000);
