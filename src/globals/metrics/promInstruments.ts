import { help, names, type Gauges, type Instruments } from "./instruments";

/** As much of the package `prom-client` as is used of it. */
export interface PromClient {
  readonly Counter: new (config: LabelledConfig) => { inc(labels: PromLabels): void };
  readonly Histogram: new (config: HistogramConfig) => { observe(labels: PromLabels, value: number): void };
  readonly Gauge: new (config: GaugeConfig) => unknown;
  readonly register: PromRegistry;
}

/** A `Registry` of `prom-client`. */
export interface PromRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
  removeSingleMetric(name: string): void;
}

type PromLabels = Record<string, string>;

interface MetricConfig {
  readonly name: string;
  readonly help: string;
  /** Of their class, of which less is asked here. */
  readonly registers: never[];
}

interface LabelledConfig extends MetricConfig {
  readonly labelNames: string[];
}

interface HistogramConfig extends LabelledConfig {
  readonly buckets: number[];
}

interface GaugeConfig extends MetricConfig {
  collect(this: { set(value: number): void }): void;
}

/**
 * Counts requests in a registry of `prom-client`, beside what the application has there.
 *
 * @throws {Error} the registry has a metric of one of these names already
 */
export function createPromInstruments(
  { Counter, Histogram, Gauge }: PromClient,
  register: PromRegistry,
  buckets: readonly number[],
  gauges: Gauges,
): Instruments {
  const made: string[] = [];
  const release = (): void => made.forEach((name) => register.removeSingleMetric(name));
  const describe = (metric: keyof typeof names): MetricConfig => ({
    name: names[metric],
    help: help[metric],
    registers: [register as never],
  });
  /** One that fails leaves none of those before it behind. */
  function make<M>(metric: keyof typeof names, create: (config: MetricConfig) => M): M {
    try {
      const created = create(describe(metric));
      made.push(names[metric]);
      return created;
    } catch (error) {
      release();
      throw error;
    }
  }
  const addGauge = (metric: keyof Gauges): unknown =>
    make(metric, (config) => {
      return new Gauge({
        ...config,
        collect() {
          this.set(gauges[metric]());
        },
      });
    });

  const requests = make("requests", (config) => new Counter({ ...config, labelNames: ["kind", "id", "code"] }));
  const durations = make(
    "seconds",
    (config) => new Histogram({ ...config, labelNames: ["kind", "id"], buckets: [...buckets] }),
  );
  addGauge("inFlight");
  addGauge("bufferedBytes");
  addGauge("poolSockets");
  return {
    get contentType() {
      return register.contentType;
    },
    record({ kind, id, code }, seconds) {
      requests.inc({ kind, id, code });
      durations.observe({ kind, id }, seconds);
    },
    text: () => register.metrics(),
    release,
  };
}
