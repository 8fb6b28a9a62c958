/** A process that serves tasks with `otelTracing`, and tells the spans and metrics it made. */
import { context, trace } from "@opentelemetry/api";
import { globals, nodeExposure, r, run } from "../../node/index";
import { otelTracing } from "../../node/otel/index";
import { quiet, token } from "./tunnelPair";
import { startTelemetry } from "./telemetry";

const telemetry = startTelemetry();
const soldOut = r.error<{ sku: string }>("shop.errors.soldOut").build();
const reserve = r
  .task("shop.tasks.reserve")
  .run(async (sku: string) => {
    if (sku === "tea") throw soldOut.create({ sku });
    return sku;
  })
  .build();
const order = r
  .task("shop.tasks.order")
  .dependencies({ reserve })
  .run(async (sku: string, deps) => {
    trace.getTracer("database").startSpan("query", {}, context.active()).end();
    return deps.reserve(sku);
  })
  .build();
const tunnel = r
  .resource("shop.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server" as const, transport: "http" as const, tasks: [order.id] }))
  .build();
const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token }, drain: { quietMs: 0 } } });
const root = r
  .resource("shop")
  .register([soldOut, reserve, order, tunnel, otelTracing.with({}), exposure])
  .build();

const started = run(root, { ...quiet, logs: { printThreshold: null }, onUnhandledError() {} });
const answers = {
  port: async () => {
    const address = (await started).getResourceValue(nodeExposure).server?.address();
    return typeof address === "object" ? address?.port : undefined;
  },
  /** Once all replies have left. */
  telemetry: async () => {
    await (await started).dispose();
    return telemetry.collect();
  },
};

process.on("message", ({ question }: { question: keyof typeof answers }) => {
  void answers[question]().then((answer) => process.send?.({ answer }));
});
process.on("disconnect", () => process.exit());
