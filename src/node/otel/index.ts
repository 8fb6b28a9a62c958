/** Entry `./otel`: spans and metrics of OpenTelemetry. */
export { otelTracing, type OtelTracingConfig } from "./otelTracing";
