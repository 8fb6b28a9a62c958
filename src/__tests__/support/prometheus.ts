import parsePrometheusTextFormat from "parse-prometheus-text-format";

/** One line of metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Metrics as Prometheus reads them. */
export interface ParsedMetrics {
  /** Types by name. */
  readonly types: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
  /** The value of the one sample that has these labels, among others. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

/** @throws {Error} a line is none of the format, or a sample is there twice */
export function parseMetrics(text: string): ParsedMetrics {
  const types = Object.fromEntries(parsePrometheusTextFormat(text).map(({ name, type }) => [name, type]));
  // The parser puts all series of a histogram into one; without types it gives them sample by sample.
  const samples = parsePrometheusTextFormat(text.replace(/^# TYPE .*$/gm, "")).flatMap(({ name, metrics }) =>
    metrics.map(({ labels = {}, value = "" }) => ({ name, labels, value: Number(value.replace("Inf", "Infinity")) })),
  );
  const keys = samples.map(({ name, labels }) => JSON.stringify([name, Object.entries(labels).sort()]));
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new Error(`This sample is there twice: ${twice}`);
  return {
    types,
    samples,
    value(name, labels = {}) {
      const found = samples.filter(
        (sample) =>
          sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
      );
      if (found.length > 1) throw new Error(`There are ${found.length} samples of ${name}.`);
      return found[0]?.value;
    },
  };
}

/** Asks a server for its metrics. */
export async function scrape(url: string, headers: Record<string, string> = {}): Promise<ParsedMetrics> {
  const reply = await fetch(url, { headers });
  const text = await reply.text();
  if (reply.status !== 200) throw new Error(`${reply.status} ${text}`);
  return parseMetrics(text);
}

/** Asks again until the metrics are as expected. */
export async function scrapeUntil(url: string, isExpected: (now: ParsedMetrics) => boolean): Promise<ParsedMetrics> {
  for (;;) {
    const now = await scrape(url);
    if (isExpected(now)) return now;
  }
}
