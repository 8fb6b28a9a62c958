import { createHttpMixedClient } from "../../../node/index";
import { startProgram } from "../../support/program";

/** A service that logs JSON lines, and prints where it listens. */
const service = (name: string, definitions: string): string => `
  const { r, run, globals, nodeExposure } = node;
  const logger = globals.resources.logger;
  const exposure = nodeExposure.with({ http: {
    listen: { port: 0 },
    auth: { tokens: [{ token: "s3cret", name: "caller of ${name}" }] },
  } });
  ${definitions}
  const reachable = r.tunnel.server("${name}.reachable").tasks([own]).build();
  const app = r.resource("${name}").register([...items, own, reachable, exposure]).build();
  const { getResourceValue } = await run(app, { logs: { printThreshold: "info", printStrategy: "json" } });
  log("url " + getResourceValue(nodeExposure).url);
`;

const payments = `
  const items = [];
  const own = r.task("payments.charge").dependencies({ logger }).run(async (cents, { logger }) => {
    await logger.info("Charging.", { data: { cents } });
    if (cents < 0) throw new Error("negative\\nover two lines");
    return cents;
  }).build();
`;

const orders = (url: string): string => `
  const charge = r.task.phantom("payments.charge").build();
  const tunnel = r.tunnel.client("orders.payments").tasks([charge])
    .http(() => ({ baseUrl: ${JSON.stringify(url)}, auth: { token: "s3cret" } })).build();
  const placed = r.event("orders.placed").build();
  const heard = r.hook("orders.heard").on(placed).dependencies({ logger })
    .run(async (_event, { logger }) => { await logger.info("Placed."); }).build();
  const items = [charge, tunnel, placed, heard];
  const own = r.task("orders.place").dependencies({ charge, placed, logger }).run(async (cents, deps) => {
    await deps.logger.with({ additionalContext: { shop: 7 } }).info("Placing.");
    await deps.placed();
    return deps.charge(cents);
  }).build();
`;

interface Line {
  readonly level: string;
  readonly source?: string;
  readonly message: string;
  readonly context?: Readonly<Record<string, unknown>>;
}

const urlOf = async (program: ReturnType<typeof startProgram>): Promise<string> => {
  await program.printed("url http");
  const line = program.lines().find((each) => each.startsWith("url ")) ?? "";
  return line.slice("url ".length);
};

async function end(program: ReturnType<typeof startProgram>): Promise<readonly Line[]> {
  program.child.kill("SIGTERM");
  await program.exited;
  return program
    .lines()
    .concat(program.errors().split("\n"))
    .filter((line) => line !== "" && !line.startsWith("url "))
    .map((line) => JSON.parse(line) as Line);
}

it("logs of two processes are a JSON text in each line, with the request, the trace, the span and the caller of the call", async () => {
  const inner = startProgram(service("payments", payments));
  const outer = startProgram(service("orders", orders(await urlOf(inner))));
  await using client = createHttpMixedClient({ baseUrl: await urlOf(outer), auth: { token: "s3cret" } });
  const trace = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", flags: "01" };

  await client.task("orders.place", 500, { trace });
  await client.task("orders.place", -1, { trace }).catch(() => {});
  await client.close();
  const lines = { orders: await end(outer), payments: await end(inner) };

  const ofTasks = [...lines.orders, ...lines.payments].filter(({ source }) =>
    /^(orders|payments)\./.test(source ?? ""),
  );
  const [placing, placed] = ofTasks;
  const charging = lines.payments.find(({ source }) => source === "payments.charge");
  const { requestId, spanId } = placing?.context ?? {};
  expect(placing).toMatchObject({
    level: "info",
    source: "orders.place",
    message: "Placing.",
    context: { shop: 7, traceId: trace.traceId, caller: "caller of orders" },
  });
  expect([requestId, spanId]).toEqual([expect.any(String), expect.stringMatching(/^[\da-f]{16}$/)]);
  expect(placed).toMatchObject({ source: "orders.heard", context: { requestId, traceId: trace.traceId, spanId } });
  expect(charging).toMatchObject({ context: { traceId: trace.traceId, caller: "caller of payments" } });
  expect(charging?.context?.["spanId"]).not.toBe(spanId);
  const failures = ofTasks.filter(({ level }) => level === "error");
  // Each process names what failed first in it: to orders, that is the task of the other one.
  expect(failures.map(({ source }) => source)).toEqual(["payments.charge", "payments.charge"]);
  expect(ofTasks.every(({ context }) => context?.["traceId"] === trace.traceId)).toBe(true);
  expect(ofTasks.every(({ context }) => typeof context?.["requestId"] === "string")).toBe(true);
  const served = [...lines.orders, ...lines.payments].filter(({ message }) => message === "exposure.task.error");
  expect(served.map(({ context }) => context?.["traceId"])).toEqual([trace.traceId, trace.traceId]);
}, 60_000);

it("a call of this process that belongs to no request and no trace logs nothing about either", async () => {
  const { globals, r, run } = await import("../../../node/index");
  const contexts: unknown[] = [];
  const task = r
    .task("alone")
    .dependencies({ logger: globals.resources.logger })
    .run(async (_input: void, { logger }) => logger.info("here"))
    .build();
  const app = await run(r.resource("app").register([task]).build(), {
    shutdownHooks: false,
    errorBoundary: false,
    logs: { printThreshold: null },
  });
  app.logger.onLog(({ source, context }) => void (source === "alone" && contexts.push(context)));

  await app.runTask(task);
  await app.runTask(task, undefined, { timeoutMs: 10_000 });
  await app.dispose();

  expect(contexts).toEqual([{}, {}]);
});
