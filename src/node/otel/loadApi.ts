/** As much of the package as spans and metrics need. */
export type OtelApi = Pick<typeof import("@opentelemetry/api"), "context" | "createContextKey" | "metrics" | "trace"> &
  Pick<typeof import("@opentelemetry/api"), "createTraceState" | "isSpanContextValid" | "SpanKind" | "SpanStatusCode">;

/**
 * @param importIt for tests of what happens without the package
 * @throws {Error} the package is not installed
 */
export async function loadApi(importIt: () => Promise<OtelApi> = importApi): Promise<OtelApi> {
  try {
    return await importIt();
  } catch (error) {
    throw new Error(
      'otelTracing needs the package "@opentelemetry/api", which is not installed: npm install @opentelemetry/api',
      { cause: error },
    );
  }
}

/** In a `try`, because bundlers fail over a package that is not there, unless the code says that it expects this. */
async function importApi(): Promise<OtelApi> {
  try {
    return await import("@opentelemetry/api");
  } catch (error) {
    throw new Error("The package @opentelemetry/api could not be loaded.", { cause: error });
  }
}
