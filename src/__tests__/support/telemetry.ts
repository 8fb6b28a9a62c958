import { context, metrics, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

/** What a test compares of a span. */
export interface SeenSpan {
  readonly name: string;
  readonly kind: string | undefined;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: string | undefined;
  readonly events: readonly string[];
}

/** One series of a histogram. */
export interface SeenMetric {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly sum: number | undefined;
}

export interface Telemetry {
  readonly spans: readonly SeenSpan[];
  readonly metrics: readonly SeenMetric[];
}

/** Registers the SDK of OpenTelemetry in this process, with exporters in memory. */
export function startTelemetry() {
  const spans = new InMemorySpanExporter();
  const exported = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: exported, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
  metrics.setGlobalMeterProvider(meterProvider);
  return {
    async collect(): Promise<Telemetry> {
      exported.reset();
      await meterProvider.forceFlush();
      const seen = exported.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((each) => each.metrics));
      return {
        spans: spans.getFinishedSpans().map((span) => ({
          name: span.name,
          kind: SpanKind[span.kind],
          traceId: span.spanContext().traceId,
          spanId: span.spanContext().spanId,
          parentId: span.parentSpanContext?.spanId,
          attributes: span.attributes,
          status: SpanStatusCode[span.status.code],
          events: span.events.map(({ name }) => name),
        })),
        metrics: seen.flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes, value }) => ({
            name: descriptor.name,
            unit: descriptor.unit,
            attributes,
            count: (value as { count: number }).count,
            sum: (value as { sum?: number }).sum,
          })),
        ),
      };
    },
    async stop(): Promise<void> {
      await meterProvider.shutdown();
      context.disable();
      trace.disable();
      metrics.disable();
    },
  };
}
