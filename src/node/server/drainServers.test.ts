import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { stopTime } from "../../__tests__/support/stopTime";
import { Drain } from "../../lib/drain";
import { drainServers } from "./drainServers";
import { startServer } from "./ownServer";

const block = (ms: number): void => {
  for (const endsAt = performance.now() + ms; performance.now() < endsAt;);
};

it("a server stops listening only once its process has time to accept what waits", async () => {
  const own = await startServer(
    createServer((_req, res) => res.end()),
    0,
    "127.0.0.1",
  );
  const { port } = own.server.address() as AddressInfo;
  const drain = new Drain();
  const wasListening: boolean[] = [];
  using time = stopTime();

  const drained = drainServers(
    drain,
    { delayMs: 1, quietMs: 0, graceMs: 1000 },
    { own, isMounted: false, cutMounted: () => {} },
  );
  // It ends right after the delay of the drain, whose timer is set for as long and before it.
  await sleep(1);
  for (let busyTurns = 6; busyTurns > 0; busyTurns -= 1) {
    await new Promise(setImmediate);
    wasListening.push(own.server.listening);
    time.advance(2);
  }
  await drained;

  expect(wasListening).toEqual([true, true, true, true, true, true]);
  expect([own.server.listening, drain.phase]).toEqual([false, "closed"]);
  const [error] = (await once(connect(port, "127.0.0.1"), "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNREFUSED");
});

it("a server of a process that is never idle stops listening all the same", async () => {
  const own = await startServer(
    createServer((_req, res) => res.end()),
    0,
    "127.0.0.1",
  );
  let isDone = false;
  const beBusy = (): void => {
    block(2);
    if (!isDone) setImmediate(beBusy);
  };
  setImmediate(beBusy);

  await drainServers(
    new Drain(),
    { delayMs: 1, quietMs: 0, graceMs: 1000 },
    { own, isMounted: false, cutMounted: () => {} },
  );
  isDone = true;

  expect(own.server.listening).toBe(false);
});
