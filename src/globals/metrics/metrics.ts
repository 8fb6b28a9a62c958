import { createResource } from "../../define/createResource";
import type { IResource } from "../../define/resource";
import { symbolFramework } from "../../lib/symbols";
import type { Store } from "../../runtime/run/store";
import type { RequestTrace, RunTracing, TraceEvent } from "../../runtime/tracing";
import { openSocketCount } from "../../tunnels/client/openSockets";
import { store } from "../resources/handles";
import { publishCalls } from "../tracing/publishCalls";
import type { Gauges, Instruments } from "./instruments";
import { resolveMetricsConfig, type MetricsConfig } from "./metricsConfig";
import { createPromInstruments } from "./promInstruments";
import { createRequestLabels } from "./requestLabels";
import { createTextInstruments } from "./textInstruments";

/** The metrics of a run. */
export interface Metrics {
  /** Media type of the text. */
  readonly contentType: string;
  /** All metrics as they are now, in the text format of Prometheus. */
  text(): Promise<string>;
}

/** What `metrics` has to end. */
interface Observing {
  stop: () => void;
}

/**
 * Counts the requests that a run serves, for Prometheus. `http.metrics` of an exposure serves them; its value gives the text
 * to other servers.
 *
 * @throws {TypeError} the config cannot be meant
 * @see readmes/METRICS.md
 */
export const metrics: IResource<MetricsConfig | void, Promise<Metrics>> = /* @__PURE__ */ (() => {
  // The `run` of the universal entry publishes nothing unless something that is imported asks for it.
  publishCalls();
  return createResource(
    {
      id: "globals.resources.metrics",
      dependencies: { store },
      configSchema: { parse: resolveMetricsConfig },
      context: (): Observing => ({ stop() {} }),
      init: startMetrics,
      dispose: async (_value: Metrics, _config: unknown, _dependencies: unknown, observing: Observing) =>
        observing.stop(),
      [symbolFramework]: {},
    },
    () => "unknown",
  );
})();

async function startMetrics(
  config: MetricsConfig | void,
  { store: ofRun }: { readonly store: Store },
  observing: Observing,
): Promise<Metrics> {
  const { tracing } = ofRun;
  const inFlight = new Set<RequestTrace>();
  const instruments = createInstruments(config, {
    inFlight: () => inFlight.size,
    bufferedBytes: () => sumOf(tracing?.heldBytes ?? []),
    poolSockets: openSocketCount,
  });
  const stop = tracing && countRequests(tracing, instruments, createRequestLabels(ofRun), inFlight);
  observing.stop = () => {
    stop?.();
    instruments.release();
  };
  return {
    get contentType() {
      return instruments.contentType;
    },
    text: async () => instruments.text(),
  };
}

function createInstruments(config: MetricsConfig | void, gauges: Gauges): Instruments {
  const { buckets, promClient, register } = resolveMetricsConfig(config);
  if (promClient === undefined) return createTextInstruments(buckets, gauges);
  return createPromInstruments(promClient, register ?? promClient.register, buckets, gauges);
}

/** What began before is not counted, since it would never have been in flight. */
function countRequests(
  { requests }: RunTracing,
  instruments: Instruments,
  labelsOf: ReturnType<typeof createRequestLabels>,
  inFlight: Set<RequestTrace>,
): () => void {
  return requests.observe(({ phase, message }: Extract<TraceEvent, { readonly channel: "runner:request" }>) => {
    if (phase === "start") inFlight.add(message);
    else if (phase === "asyncEnd" && inFlight.delete(message)) {
      instruments.record(labelsOf(message), (message.ms ?? 0) / 1000);
    }
  });
}

const sumOf = (counts: readonly (() => number)[]): number => counts.reduce((sum, count) => sum + count(), 0);
