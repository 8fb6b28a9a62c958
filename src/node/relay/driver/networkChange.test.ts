import { soon } from "../../../__tests__/support/soon";
import { waitForNetwork } from "./networkChange";

it("a wait for the next attempt ends when the network of the machine has changed", async () => {
  let looks = 0;
  const changed = waitForNetwork(3_600_000, new AbortController().signal, () => (looks++ === 0 ? "wifi" : "cable"));

  expect(await soon(changed)).toBe(true);
});

it("a wait for the next attempt lasts as long as it was asked to where the network stays the same", async () => {
  expect(await soon(waitForNetwork(1, new AbortController().signal))).toBe(false);
});

it("a wait for the next attempt ends with its session, also when that has ended before", async () => {
  const ending = new AbortController();
  const waiting = waitForNetwork(3_600_000, ending.signal);
  ending.abort();

  expect(await soon(waiting)).toBe(false);
  expect(await soon(waitForNetwork(3_600_000, ending.signal))).toBe(false);
});
