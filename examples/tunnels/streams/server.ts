/** The serving side: a streamed task, which is listed and exposed like any other. */
import { EventEmitter } from "node:events";
import type { AddressInfo } from "node:net";
import { r } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";
import { tableClosed, type Range, type Row } from "./contract";

/** Emits "closed" when the body of the task has released what it held. */
export const cursor = new EventEmitter();

const rows = r
  .task("shop.tasks.rows")
  .throws([tableClosed])
  .stream(async function* ({ from, to }: Range) {
    try {
      for (let id = from; id <= to; id += 1) {
        if (id === 1000) tableClosed.throw({ at: id });
        yield { id, createdAt: new Date(Date.UTC(2026, 0, id)) } satisfies Row;
      }
      return { total: to - from + 1 };
    } finally {
      cursor.emit("closed"); // also when the caller leaves early
    }
  })
  .build();

const reachable = r.tunnel.server("shop.tunnels.reachable").tasks([rows]).build();

const app = r
  .resource("shop.server")
  .register([
    rows,
    tableClosed,
    reachable,
    nodeExposure.with({ http: { listen: { port: 0 }, auth: { token: "dev-secret" } } }),
  ])
  .build();

export async function startServer() {
  const running = await run(app, { logs: { printThreshold: null } });
  const { port } = running.getResourceValue(nodeExposure).server?.address() as AddressInfo;
  return { baseUrl: `http://127.0.0.1:${port}/__runner`, [Symbol.asyncDispose]: () => running.dispose() };
}
