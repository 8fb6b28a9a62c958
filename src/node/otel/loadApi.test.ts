import { rejectionOf } from "../../__tests__/support/failures";
import { loadApi } from "./loadApi";
import { otelTracing, type OtelTracingConfig } from "./otelTracing";

it("otelTracing names the package to install where that is missing", async () => {
  const missing = new Error("Cannot find package");
  const error = await rejectionOf(loadApi(async () => Promise.reject(missing)));

  expect(error).toMatchObject({
    message:
      'otelTracing needs the package "@opentelemetry/api", which is not installed: npm install @opentelemetry/api',
    cause: missing,
  });
});

it.each([
  [{ tracerProvider: {} }, "tracerProvider must have getTracer()"],
  [{ meterProvider: 5 }, "meterProvider must have getMeter()"],
  [{ tasks: "yes" }, "tasks must be true or false"],
])("otelTracing refuses %j as its config", async (config, message) => {
  expect(() => otelTracing.with(config as unknown as OtelTracingConfig)).toThrow(message);
});
