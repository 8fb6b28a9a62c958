import type { MeterProvider, TracerProvider } from "@opentelemetry/api";
import { createResource } from "../../define/createResource";
import type { IResource } from "../../define/resource";
import { globals } from "../../late";
import { publishCalls } from "../../globals/tracing/publishCalls";
import { symbolFramework } from "../../lib/symbols";
import type { Store } from "../../runtime/run/store";
import { loadApi } from "./loadApi";
import { observeCalls } from "./observeCalls";

/** Configures `otelTracing`. */
export interface OtelTracingConfig {
  /** Makes the spans. Default: the one that is registered globally, which an SDK does. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Makes the histograms. Default: the one that is registered globally. */
  readonly meterProvider?: MeterProvider | undefined;
  /** Whether tasks that are called in this process have spans, beside requests and client calls. Default true. */
  readonly tasks?: boolean | undefined;
  /** Whether spans hold the messages and stacks of errors, which may say what the caller is not told. Default true. */
  readonly recordExceptions?: boolean | undefined;
}

/**
 * Makes OpenTelemetry spans and metrics of the calls of a run. Needs the package `@opentelemetry/api`, without which the boot
 * is rejected with an `Error` that says so.
 *
 * @throws {TypeError} the config cannot be meant
 * @see readmes/OPENTELEMETRY.md
 */
export const otelTracing: IResource<OtelTracingConfig | void, Promise<() => void>> = /* @__PURE__ */ (() => {
  // The `run` of the universal entry publishes nothing unless something that is imported asks for it.
  publishCalls();
  return createResource(
    {
      id: "globals.resources.otelTracing",
      // Of the entry: what this one shares with it is then no further piece of the build, which pages would pay for.
      dependencies: { store: globals.resources.store },
      configSchema: { parse: checkConfig },
      init: startTracing,
      dispose: async (stop: () => void) => stop(),
      [symbolFramework]: {},
    },
    () => "unknown",
  );
})();

async function startTracing(
  config: OtelTracingConfig | void,
  { store: ofRun }: { readonly store: Store },
): Promise<() => void> {
  const { tracerProvider, meterProvider, tasks = true, recordExceptions = true } = config ?? {};
  const api = await loadApi();
  const { observe, end } = observeCalls({
    api,
    tracerProvider: tracerProvider ?? api.trace.getTracerProvider(),
    meterProvider: meterProvider ?? api.metrics.getMeterProvider(),
    tasks,
    recordExceptions,
    isKnown: (id) => ofRun.tasks.has(id) || ofRun.events.has(id),
  });
  const observers = ofRun.tracing?.observers ?? [];
  observers.push(observe);
  return () => {
    const index = observers.indexOf(observe);
    if (index >= 0) observers.splice(index, 1);
    end();
  };
}

function checkConfig(config: unknown): OtelTracingConfig {
  if (config === undefined) return {};
  const given = Object(config) as Readonly<Record<string, unknown>>;
  for (const [name, method] of [
    ["tracerProvider", "getTracer"],
    ["meterProvider", "getMeter"],
  ] as const) {
    const provider = given[name];
    if (provider !== undefined && typeof (Object(provider) as Record<string, unknown>)[method] !== "function") {
      throw new TypeError(`otelTracing: ${name} must have ${method}(), as the providers of OpenTelemetry do.`);
    }
  }
  for (const name of ["tasks", "recordExceptions"]) {
    if (given[name] !== undefined && typeof given[name] !== "boolean") {
      throw new TypeError(`otelTracing: ${name} must be true or false.`);
    }
  }
  return given;
}
