import { help, names, type Gauges, type Instruments, type RequestLabels } from "./instruments";

/** The requests of one task or event. */
interface Series {
  /** As they are written, without braces. */
  readonly labels: string;
  readonly countByCode: Map<string, number>;
  /** How many ended within each bucket and not within the one before; the last one has no bound. */
  readonly counts: number[];
  seconds: number;
}

/**
 * Counts requests, and writes them as Prometheus reads them, in version 0.0.4.
 *
 * @param buckets upper bounds, ascending, in seconds
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function createTextInstruments(buckets: readonly number[], gauges: Gauges): Instruments {
  const bySubject = new Map<string, Series>();
  const bounds = [...buckets.map(String), "+Inf"];

  function seriesOf({ kind, id }: RequestLabels): Series {
    const subject = `${kind} ${id}`;
    let series = bySubject.get(subject);
    if (series === undefined) {
      const labels = `kind="${kind}",id="${escapeLabel(id)}"`;
      series = { labels, countByCode: new Map(), counts: bounds.map(() => 0), seconds: 0 };
      bySubject.set(subject, series);
    }
    return series;
  }

  return {
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    record(labels, seconds) {
      const series = seriesOf(labels);
      series.countByCode.set(labels.code, (series.countByCode.get(labels.code) ?? 0) + 1);
      const found = buckets.findIndex((bound) => seconds <= bound);
      const index = found === -1 ? buckets.length : found;
      series.counts[index] = (series.counts[index] ?? 0) + 1;
      series.seconds += seconds;
    },
    text() {
      const all = [...bySubject.values()];
      return [
        ...head("requests", "counter"),
        ...all.flatMap(countLines),
        ...head("seconds", "histogram"),
        ...all.flatMap((series) => histogramLines(series, bounds)),
        ...gaugeLines("inFlight", gauges),
        ...gaugeLines("bufferedBytes", gauges),
        ...gaugeLines("poolSockets", gauges),
        "",
      ].join("\n");
    },
    release() {},
  };
}

const head = (metric: keyof typeof names, type: string): string[] => [
  `# HELP ${names[metric]} ${help[metric]}`,
  `# TYPE ${names[metric]} ${type}`,
];

const countLines = ({ labels, countByCode }: Series): string[] =>
  [...countByCode].map(([code, count]) => `${names.requests}{${labels},code="${escapeLabel(code)}"} ${count}`);

function histogramLines({ labels, counts, seconds }: Series, bounds: readonly string[]): string[] {
  let total = 0;
  const lines = bounds.map((bound, index) => {
    total += counts[index] ?? 0;
    return `${names.seconds}_bucket{${labels},le="${bound}"} ${total}`;
  });
  return [...lines, `${names.seconds}_sum{${labels}} ${seconds}`, `${names.seconds}_count{${labels}} ${total}`];
}

const gaugeLines = (metric: keyof Gauges, gauges: Gauges): string[] => [
  ...head(metric, "gauge"),
  `${names[metric]} ${gauges[metric]()}`,
];

const escapeLabel = (value: string): string =>
  value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
