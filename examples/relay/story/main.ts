/** Starts a relay and drivers, calls the application through the relay, and kills a driver in the middle of it. */
import { fork, type ChildProcess } from "node:child_process";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { TunnelError } from "@bluelibs/runner";
import { createHttpMixedClient, createNodeFile } from "@bluelibs/runner/node";
import { outOfStock, type DriverMessage } from "./contract";

const port = await freePort();
const secrets = { RELAY_TOKEN: randomUUID(), APP_TOKEN: randomUUID() };
const children: ChildProcess[] = [];

try {
  await start("./relay.ts", { RELAY_PORT: String(port) });
  const first = await startDriver("anna");
  const baseUrl = `${first.publicUrl}__runner`;
  await using client = createHttpMixedClient({
    baseUrl,
    auth: { token: secrets.APP_TOKEN },
    errorRegistry: new Map([[outOfStock.id, outOfStock]]),
  });
  const order = async (sku: string): Promise<unknown> =>
    client.task<{ sku: string }, unknown>("shop.tasks.order", { sku }).catch(describe);

  console.log("an order:", await order("tea"));
  console.log("a typed error:", await order("gold"));

  const bytes = randomBytes(5_000_000);
  const file = createNodeFile({ name: "photo.raw" }, { stream: Readable.from([bytes]) });
  const digest = await client.task<unknown, string>("shop.tasks.digest", { file });
  console.log("a file of 5 MB, byte for byte:", digest === createHash("sha256").update(bytes).digest("hex"));

  const lines = await client.task<unknown, Readable>("shop.tasks.list", { count: 10_000 });
  console.log("a streamed list, its last line:", (await text(lines)).trim().split("\n").at(-1));

  const packing = once(first.child, "message");
  const interrupted = client.task("shop.tasks.pack", { parcel: "p-1" }).catch(describe);
  await packing;
  const gone = once(first.child, "exit");
  first.child.kill("SIGKILL");
  console.log("a call under way when its driver is killed:", await interrupted);
  await gone;
  const parked = await fetch(baseUrl);
  console.log(
    "a visitor while no driver is there:",
    parked.status,
    `retry after ${parked.headers.get("retry-after")} s`,
  );

  await startDriver("anna, restarted");
  console.log("an order after the driver came back:", await order("tea"));

  // Orders go on while another driver takes over: each is served by one of the two.
  let isTakenOver = false;
  const served = (async () => {
    const by = new Set<unknown>();
    while (!isTakenOver) by.add(JSON.stringify(await order("tea")));
    return [...by].every(
      (answer) => String(answer).includes("packedBy") || String(answer).includes("TUNNEL_INTERRUPTED"),
    );
  })();
  await startDriver("berta", { TAKEOVER: "yes" });
  isTakenOver = true;
  console.log("every order during a takeover was served or told of it:", await served);
  console.log("an order after the takeover:", await order("tea"));
} finally {
  for (const child of children) if (child.connected) child.disconnect();
  for (const child of children) if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function start(program: string, env: Record<string, string>): Promise<{ child: ChildProcess; message: unknown }> {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), { env: { ...process.env, ...secrets, ...env } });
  children.push(child);
  const ended = once(child, "exit").then(() => {
    throw new Error(`${program} ended before it was ready.`);
  });
  ended.catch(() => {}); // also ends later, as it should
  const [message] = (await Promise.race([once(child, "message"), ended])) as [unknown];
  return { child, message };
}

async function startDriver(name: string, env: Record<string, string> = {}) {
  const relay = { RELAY_URL: `http://127.0.0.1:${port}`, DRIVER_NAME: name };
  const { child, message } = await start("./driver.ts", { ...relay, ...env });
  return { child, publicUrl: (message as Extract<DriverMessage, { published: string }>).published };
}

/** What a call failed with: a typed error by its data, an interruption by its code. */
function describe(error: unknown): unknown {
  if (outOfStock.is(error)) return error.data;
  if (error instanceof TunnelError) return `failed with ${error.code}`;
  throw error;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: found } = server.address() as AddressInfo;
  server.close();
  return found;
}
