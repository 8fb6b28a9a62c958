/** What every example mounts: two tasks, the list of what may be called, and an exposure that waits to be mounted. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { r, type InputFile, type RegisterableItems } from "@bluelibs/runner";
import { nodeExposure, run } from "@bluelibs/runner/node";

export const add = r
  .task("shop.tasks.add")
  .run(async (input: { a: number; b: number }) => input.a + input.b)
  .build();

const size = r
  .task("shop.tasks.size")
  .run(async ({ file }: { file: InputFile<Readable> }) => {
    let bytes = 0;
    for await (const chunk of file.stream() as AsyncIterable<Buffer>) bytes += chunk.byteLength;
    return bytes;
  })
  .build();

const reachable = r.tunnel.server("shop.tunnels.reachable").tasks([add, size]).build();

/** Neither `listen` nor `server`: the exposure waits to be mounted. */
const exposure = nodeExposure.with({ http: { auth: { token: "dev-secret" } } });

/** Listens on a free port of this machine. */
export async function listen(server: Server): Promise<Server> {
  // Node would cut uploads that take longer than five minutes.
  server.requestTimeout = 0;
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

/** Lets calls under way finish. */
export async function close(server: Server): Promise<void> {
  const closed = once(server.close(), "close");
  server.closeIdleConnections();
  await closed;
}

export const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** Runs the shop with a web framework. */
export const startShop = (web: RegisterableItems) =>
  run(r.resource("shop").register([add, size, reachable, exposure, web]).build(), { logs: { printThreshold: null } });
