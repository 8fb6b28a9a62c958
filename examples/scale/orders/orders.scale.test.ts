import { buildTimeoutMs, ensureBuilt } from "../../../src/__tests__/support/ensureBuilt";
import { asPlaced, killedBetween, runKilledBetween, runOrders } from "../../../src/__tests__/support/runOrders";

beforeAll(ensureBuilt, buildTimeoutMs);

it("every order is paid once and mailed while workers and mailer are killed, over HTTP endpoints", async () => {
  const { exitCode, stdout, stderr } = await runOrders("http");

  expect(stdout).toMatch(asPlaced("http"));
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
}, 160_000);

it("an order whose worker is killed between the effect and its reply is paid once and answered, over HTTP endpoints", async () => {
  expect(await runKilledBetween("http")).toEqual(killedBetween("http"));
}, 160_000);
