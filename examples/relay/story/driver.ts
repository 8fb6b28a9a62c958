/** The application, where nothing can reach it, and the driver that publishes its exposure. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { r, type InputFile } from "@bluelibs/runner";
import { nodeExposure, run, tunnelServe } from "@bluelibs/runner/node";
import { outOfStock, type DriverMessage } from "./contract";

const { DRIVER_NAME: driverName = "", RELAY_URL = "", RELAY_TOKEN = "", APP_TOKEN = "" } = process.env;
const tell = (message: DriverMessage): void => void process.send?.(message);

const order = r
  .task("shop.tasks.order")
  .throws([outOfStock])
  .run(async ({ sku }: { sku: string }) => {
    if (sku === "gold") outOfStock.throw({ sku });
    return { sku, packedBy: driverName };
  })
  .build();

const digest = r
  .task("shop.tasks.digest")
  .run(async ({ file }: { file: InputFile<Readable> }) => {
    const hash = createHash("sha256");
    for await (const piece of file.stream() as AsyncIterable<Buffer>) hash.update(piece);
    return hash.digest("hex");
  })
  .build();

async function* lines(count: number): AsyncGenerator<string> {
  for (let line = 1; line <= count; line++) yield `line ${line}\n`;
}

const list = r
  .task("shop.tasks.list")
  .run(async ({ count }: { count: number }) => lines(count))
  .build();

/** Takes until the process is killed. */
const pack = r
  .task("shop.tasks.pack")
  .run(async ({ parcel }: { parcel: string }) => {
    tell({ packing: parcel });
    return new Promise<never>(() => {});
  })
  .build();

const tasks = [order, digest, list, pack];
const reachable = r.tunnel.server("shop.tunnels.reachable").tasks(tasks).build();
const exposure = nodeExposure.with({ http: { basePath: "/__runner", auth: { token: APP_TOKEN } } });
const root = r
  .resource("shop")
  .register([...tasks, outOfStock, reachable, exposure])
  .build();

const app = await run(root, { logs: { printThreshold: null } });
const handle = await tunnelServe({
  relay: RELAY_URL,
  token: RELAY_TOKEN,
  server: app.getResourceValue(nodeExposure).createServer(),
  name: "shop",
  takeover: process.env.TAKEOVER === "yes",
});
tell({ published: handle.publicUrl ?? "" });

process.on("disconnect", () => {
  void handle.close().then(() => process.kill(process.pid, "SIGTERM"));
});
