/** Three services, each a process: one trace, one deadline, one typed error through all of them; limits; a restart under load. */
import { randomUUID } from "node:crypto";
import { Errors } from "@bluelibs/runner";
import { createHttpMixedClient } from "@bluelibs/runner/node";
import { declined, type Order } from "./contract";
import { start } from "./processes";
import type { Message } from "./service";

const tokens = { SERVICE_TOKEN: randomUUID(), GUEST_TOKEN: randomUUID() };
const messages: Message[] = [];
let onMessage = (): void => {};
const note = (message: Message): void => {
  messages.push(message);
  onMessage();
};

let payments = await start("payments", tokens, note);
const orders = await start("orders", { ...tokens, PAYMENTS_URL: payments.url }, note);
const gateway = await start("gateway", { ...tokens, ORDERS_URL: orders.url }, note);

const errorRegistry = new Map([declined, Errors.rateLimitError].map((error) => [error.id, error] as const));
await using client = createHttpMixedClient({
  baseUrl: gateway.url,
  auth: { token: tokens.SERVICE_TOKEN },
  errorRegistry,
});
const checkout = (order: Order, options = {}): Promise<string> => client.task("gateway.tasks.checkout", order, options);

// One trace.
const trace = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", flags: "01" };
console.log("placed:", await checkout({ id: "A1", cents: 500 }, { trace }));
const places = messages.flatMap((message) => (message.kind === "called" ? [message.traceparent.split("-")] : []));
const distinct = (index: number): number => new Set(places.map((place) => place[index])).size;
console.log(`traced: ${places.length} services, ${distinct(1)} trace, ${distinct(2)} spans`);

// One typed error.
const refused: unknown = await checkout({ id: "A2", cents: 200_000 }).catch((error: unknown) => error);
console.log("declined:", declined.is(refused) && refused.data.id);

// One deadline: the innermost task stops.
const stopped = new Promise<void>((resolve) => {
  onMessage = () => messages.at(-1)?.kind === "stopped" && resolve();
});
const late: unknown = await checkout({ id: "A3", cents: 500, slow: true }, { timeoutMs: 2_000 }).catch(
  (error: unknown) => error,
);
await stopped;
console.log("late:", (late as Error).name, "and payments stopped");

// A limit for each caller.
await using guest = createHttpMixedClient({
  baseUrl: gateway.url,
  auth: { token: tokens.GUEST_TOKEN },
  errorRegistry,
});
const prices = [];
for (let asked = 0; asked < 3; asked++) {
  prices.push(
    await guest.task<void, number>("gateway.tasks.price").catch((error: unknown) => {
      if (Errors.rateLimitError.is(error)) return `${error.data.limit} in a minute`;
      throw error;
    }),
  );
}
console.log("prices for a guest:", prices);

// What Prometheus reads of each service: how the calls of its task have ended so far.
const served = { "gateway.tasks.checkout": gateway, "orders.tasks.place": orders, "payments.tasks.charge": payments };
for (const [id, { url }] of Object.entries(served)) {
  const reply = await fetch(new URL("/metrics", url), { headers: { "x-runner-token": tokens.SERVICE_TOKEN } });
  const counted = (await reply.text()).split("\n").filter((line) => line.startsWith("runner_requests_total{"));
  const count = (code: string): string =>
    counted
      .find((line) => line.includes(`id="${id}",code="${code}"`))
      ?.split(" ")
      .at(-1) ?? "none";
  console.log(`counted: ${id} ${count("OK")} OK, ${count(declined.id)} declined`);
}

// A restart under load, which goes on until a hundred orders were placed after it.
const lost: unknown[] = [];
let placed = 0;
let placedAfter = 0;
let exitCode: number | null | undefined;
async function restart(): Promise<void> {
  const code = await payments.stop();
  payments = await start("payments", { ...tokens, PORT: String(payments.port) }, note);
  exitCode = code;
}
let restarting: Promise<void> | undefined;
async function placeOrders(): Promise<void> {
  while (placedAfter < 100) {
    await checkout({ id: `B${placed}`, cents: 500 }).catch((error: unknown) => lost.push(error));
    placed += 1;
    if (exitCode !== undefined) placedAfter += 1;
    if (placed === 50) restarting = restart();
  }
}
await Promise.all(Array.from({ length: 8 }, placeOrders));
await restarting;
console.log(`restarted under load: exit code ${exitCode}, ${lost.length} orders lost`, ...lost.slice(0, 1));

await client.close();
await guest.close();
console.log("ended:", await gateway.stop(), await orders.stop(), await payments.stop());
