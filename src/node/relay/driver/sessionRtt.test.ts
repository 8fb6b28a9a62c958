import { once } from "node:events";
import { startRelay } from "../../../__tests__/support/bareRelay";
import { soon } from "../../../__tests__/support/soon";
import { TunnelSession } from "./tunnelSession";

it("a session tells each round trip once the relay has answered its PING, of its first connection alone", async () => {
  await using relay = await startRelay();
  await using session = new TunnelSession({ relay: relay.url, token: "anna", connections: 2 });
  const [first] = await soon(once(session, "rtt"));
  const told: number[] = [];
  session.on("rtt", ({ rttMs }) => told.push(rttMs));
  const again = once(session, "rtt");
  session.ping();
  await soon(again);

  expect(first).toEqual({ rttMs: expect.any(Number) as number });
  expect(told).toEqual([session.rttMs]);
});
