import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { tunnelExpose } from "../../../node";
import { startFaultyProxy, type Faults } from "./faultyProxy";
import { relayToken, sha256, startRelay, startService, visit } from "./relay";

/** The same fault in both directions. */
export const both = (fault: Faults["up"]): Faults => ({ up: fault, down: fault });

/**
 * Has four visitors send bodies to a service that answers with them, over a connection between driver and relay with faults.
 *
 * @param size bytes of the largest body
 * @returns status and hashes of what came to the service and back, what they are where all is whole, and connections made
 */
export async function exchangeThrough(size: number, faults: Faults) {
  await using relay = await startRelay();
  await using service = await startService((req, res) => {
    void buffer(req).then((body) => res.setHeader("x-received", sha256(body)).end(body));
  });
  await using proxy = await startFaultyProxy(relay.relay.port, faults);
  await using handle = await tunnelExpose({ relay: proxy.url, token: relayToken, port: service.port });
  const bodies = Array.from({ length: 4 }, (_, index) => randomBytes(size >> index));
  const replies = await Promise.all(
    bodies.map((body) => visit(handle.containerPort, { method: "POST", path: "/", body })),
  );
  return {
    told: replies.map(({ status, headers, body }) => [status, headers["x-received"], sha256(body)]),
    whole: bodies.map((body) => [200, sha256(body), sha256(body)]),
    connections: proxy.accepted,
  };
}
