/** Calls and durable events over NATS; the workers share a bucket of the broker. */
import { r } from "@bluelibs/runner";
import { natsClient, natsConnection, natsEvents, natsExposure, natsIdempotencyStore } from "@bluelibs/runner/nats";
import type { Composition } from "./composition";
import { charge, paid } from "./contract";
import { auth, setting } from "./settings";

const namespace = setting("NAMESPACE");
const connection = () => natsConnection.with({ servers: setting("NATS_URL", "nats://127.0.0.1:4222") });

export const overNats: Composition = {
  gateway: () => [
    connection(),
    r.tunnel.client("gateway.tunnels.payments").tasks([charge]).connect(natsClient({ namespace, auth })).build(),
    r.tunnel
      .client("gateway.tunnels.mailer")
      .events([paid], { eventDeliveryMode: "remote-only" })
      .connect(natsClient({ namespace, events: "durable" }))
      .build(),
  ],
  payments: () => [
    connection(),
    r.tunnel.server("payments.tunnels.reachable").tasks([charge.id]).build(),
    natsExposure.with({ namespace, group: "payments", auth }),
    natsIdempotencyStore.with({ namespace }),
  ],
  // What a mailer had when it was killed goes to the next one after two seconds.
  mailer: () => [connection(), natsEvents.with({ namespace, service: "mailer", events: [paid], ackWaitMs: 2_000 })],
  store: natsIdempotencyStore,
};
