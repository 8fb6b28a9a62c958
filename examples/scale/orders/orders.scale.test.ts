import { buildTimeoutMs, ensureBuilt } from "../../../src/__tests__/support/ensureBuilt";
import { asPlaced, runOrders } from "../../../src/__tests__/support/runOrders";

beforeAll(ensureBuilt, buildTimeoutMs);

it("every order is paid once and mailed while workers and mailer are killed, over HTTP endpoints", async () => {
  const { exitCode, stdout, stderr } = await runOrders("http");

  expect(stdout).toMatch(asPlaced("http"));
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
}, 160_000);
