/** Endpoints over HTTP; the workers share a file of SQLite. */
import { join } from "node:path";
import { r } from "@bluelibs/runner";
import { nodeExposure } from "@bluelibs/runner/node";
import { sqliteIdempotencyStore } from "../sqlite-store/sqliteStore";
import type { Composition } from "./composition";
import { charge, paid } from "./contract";
import { auth, setting } from "./settings";

const listening = () => nodeExposure.with({ http: { listen: { port: Number(setting("PORT", "0")) }, auth } });
// Servers that were killed are back in a moment here.
const eject = { failures: 2, forMs: 100 };

export const overHttp: Composition = {
  gateway: () => [
    r.tunnel
      .client("gateway.tunnels.payments")
      .tasks([charge])
      .http({ endpoints: setting("PAYMENTS_URLS").split(","), auth, eject })
      .build(),
    r.tunnel
      .client("gateway.tunnels.mailer")
      .events([paid], { eventDeliveryMode: "remote-only" })
      .http({ endpoints: [setting("MAILER_URL")], auth, eject })
      .build(),
  ],
  payments: () => [r.tunnel.server("payments.tunnels.reachable").tasks([charge.id]).build(), listening()],
  mailer: () => [r.tunnel.server("mailer.tunnels.reachable").events([paid.id]).build(), listening()],
  get store() {
    return sqliteIdempotencyStore({ path: join(setting("FOLDER"), "replies.db") });
  },
};
