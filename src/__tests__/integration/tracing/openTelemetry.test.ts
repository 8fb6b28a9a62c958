import { globals, r, run } from "../../../node/index";
import { otelTracing } from "../../../node/otel/index";
import { startProgram, type Program } from "../../support/startProgram";
import { startTelemetry, type Telemetry } from "../../support/telemetry";
import { quiet, token } from "../../support/tunnelPair";

interface Server {
  port(): number;
  telemetry(): Telemetry;
}

const order = r.task.phantom<string, Promise<string>>("shop.tasks.order").build();
const buy = r
  .task("page.tasks.buy")
  .dependencies({ order })
  .run(async (sku: string, deps) => deps.order(sku))
  .build();

const local = { ...quiet, logs: { printThreshold: null }, onUnhandledError() {} };
const telemetry = startTelemetry();
let server: Program<{ [K in keyof Server]: Server[K] }>;
/** How many a run has, with the resource and after it. */
const observers: (number | undefined)[] = [];
let here: Telemetry;
let there: Telemetry;

beforeAll(async () => {
  server = await startProgram<Server>("otelServer");
  const baseUrl = `http://127.0.0.1:${await server.ask("port")}/__runner`;
  const shop = r.tunnel
    .client("page.shop")
    .tasks([order])
    .http(() => ({ baseUrl, auth: { token } }))
    .build();
  const page = r
    .resource("page")
    .register([order, buy, shop, otelTracing.with({})])
    .build();
  const { runTask, dispose, getResourceValue } = await run(page, local);
  const { tracing } = getResourceValue(globals.resources.store);
  observers.push(tracing?.observers.length);
  await runTask(buy, "cup");
  await runTask(buy, "tea").catch(() => {});
  await fetch(`${baseUrl}/task/made.up`, { method: "POST", headers: { "x-runner-token": token } });
  await dispose();
  observers.push(tracing?.observers.length);
  here = await telemetry.collect();
  there = await server.ask("telemetry");
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await telemetry.stop();
});

it("a call that crosses to another process is one trace, in which each span has the one around it as parent", () => {
  const [first] = here.spans.filter(({ name }) => name === "runner.task page.tasks.buy");
  const all = [...here.spans, ...there.spans].filter(({ traceId }) => traceId === first?.traceId);
  const nameOf = (id: string | undefined) => {
    const found = all.find(({ spanId }) => spanId === id);
    return found && `${found.kind} ${found.name}`;
  };

  expect(all.map(({ spanId, parentId }) => [nameOf(spanId), nameOf(parentId)]).sort()).toEqual([
    ["CLIENT runner.task shop.tasks.order", "INTERNAL runner.task page.tasks.buy"],
    ["INTERNAL query", "SERVER runner.task shop.tasks.order"],
    ["INTERNAL runner.task page.tasks.buy", undefined],
    ["INTERNAL runner.task shop.tasks.reserve", "SERVER runner.task shop.tasks.order"],
    ["SERVER runner.task shop.tasks.order", "CLIENT runner.task shop.tasks.order"],
  ]);
});

it("spans of both sides say the system, the method, and the id of the error that a call failed with", () => {
  const [client] = here.spans.filter(({ kind, status }) => kind === "CLIENT" && status === "ERROR");
  const served = there.spans.find(({ traceId, kind }) => traceId === client?.traceId && kind === "SERVER");
  const facts = {
    "rpc.system": "runner",
    "rpc.method": "shop.tasks.order",
    "error.type": "shop.errors.soldOut",
    "http.response.status_code": 500,
  };

  expect(client?.attributes).toEqual({
    ...facts,
    "server.address": "127.0.0.1",
    "server.port": expect.any(Number) as number,
  });
  expect(served).toMatchObject({ attributes: facts, status: "ERROR", events: ["exception"] });
});

it("ids that the application does not have become neither names of spans nor values of metrics", () => {
  const refused = there.spans.find(({ name }) => name.includes("_OTHER"));

  expect(refused).toMatchObject({
    name: "runner.task _OTHER",
    attributes: { "rpc.method": "_OTHER" },
    status: "UNSET",
  });
  expect(JSON.stringify(there)).not.toContain("made.up");
});

it("both sides count durations in ms and sizes in bytes, apart by method and error", () => {
  const seriesOf = ({ metrics }: Telemetry, failed: boolean) =>
    metrics
      .filter(({ attributes }) => attributes["rpc.method"] === order.id && "error.type" in attributes === failed)
      .map(({ name, unit, count }) => [name, unit, count]);

  for (const [side, seen] of [
    ["client", here],
    ["server", there],
  ] as const) {
    const rows = [
      [`rpc.${side}.duration`, "ms", 1],
      [`rpc.${side}.request.size`, "By", 1],
      [`rpc.${side}.response.size`, "By", 1],
    ];
    expect(seriesOf(seen, false)).toEqual(rows);
    expect(seriesOf(seen, true)).toEqual(rows);
  }
});

it("the resource observes its run until that is disposed of", () => {
  expect(observers).toEqual([1, 0]);
});
