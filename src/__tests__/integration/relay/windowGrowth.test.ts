import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { tunnelExpose } from "../../../node";
import { startFaultyProxy, type Faults } from "../../support/relay/faultyProxy";
import { relayToken, sha256, startRelay, startService, visit } from "../../support/relay/relay";

const KiB = 1024;
const firstWindow = 256 * KiB;

/** A round trip of 50 ms. */
const slow: Faults = { up: { delayMs: 25 }, down: { delayMs: 25 } };

/** Moves a body over a long way by one stream. @returns the most bytes that were on their way at once */
async function move(direction: "up" | "down", bytes: number, maxWindow?: number): Promise<number> {
  await using relay = await startRelay({ limits: { maxWindow } });
  const body = randomBytes(bytes);
  await using service = await startService((req, res) => {
    void buffer(req).then((received) => res.end(direction === "up" ? body : sha256(received)));
  });
  await using proxy = await startFaultyProxy(relay.relay.port, slow);
  await using handle = await tunnelExpose({ relay: proxy.url, token: relayToken, port: service.port });
  const reply = await visit(handle.containerPort, direction === "up" ? {} : { method: "POST", body });
  expect(direction === "up" ? sha256(reply.body) : String(reply.body)).toBe(sha256(body));
  return proxy.peakBytes[direction];
}

it.each(["up", "down"] as const)(
  "a window grows over a round trip of 50 ms, so that one stream on its way %s has more than its first window in flight",
  async (direction) => {
    expect(await move(direction, 8_000_000)).toBeGreaterThan(2 * firstWindow);
  },
);

it("a window that may not grow is what one stream has in flight, however long the way is", async () => {
  const peak = await move("up", 2_000_000, firstWindow);

  expect(peak).toBeGreaterThan(firstWindow / 2);
  expect(peak).toBeLessThan(firstWindow + 16 * KiB);
});
