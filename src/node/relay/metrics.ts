import type { RelayParts } from "./relayParts";

/** The state of a relay as Prometheus text 0.0.4. No label names a session: their number has no limit over time. */
export function renderMetrics({ sessions, bindings, counters, permits }: RelayParts): string {
  const attached = sessions.all.filter(({ isAttached }) => isAttached);
  const countOf = (mode: string): number => bindings.all.filter((binding) => binding.mode === mode).length;
  const links = attached.flatMap(({ mux }) => mux?.links ?? []);
  const active = sessions.all.flatMap(({ activeMux }) => [...(activeMux?.streams ?? [])]);
  const activeOf = (kind: string): number => active.filter((stream) => stream.kind === kind).length;
  return [
    gauge("sessions_active", attached.length),
    gauge("sessions_orphaned", sessions.all.length - attached.length),
    family("bindings_active", "gauge", [
      ['{mode="expose"}', countOf("expose")],
      ['{mode="pull"}', countOf("pull")],
    ]),
    gauge("fd_permits_available", permits.available),
    gauge("streams_active", active.length),
    family("streams_total", "counter", [
      ['{kind="http",mode="expose"}', counters.streams.http + activeOf("http")],
      ['{kind="tcp",mode="pull"}', counters.streams.tcp + activeOf("tcp")],
    ]),
    family(
      "stream_resets_total",
      "counter",
      [...counters.resets].map(([code, value]) => [`{code="${code}"}`, value]),
    ),
    family("bytes_total", "counter", [
      ['{dir="in"}', counters.bytes.in + sum(active.map(({ sentBytes }) => sentBytes))],
      ['{dir="out"}', counters.bytes.out + sum(active.map(({ receivedBytes }) => receivedBytes))],
    ]),
    family("resumes_total", "counter", [
      ['{result="resumed"}', counters.resumes.resumed],
      ['{result="unknown"}', counters.resumes.unknown],
    ]),
    counter("takeovers_total", bindings.takeovers),
    family(
      "requests_total",
      "counter",
      Object.entries(counters.requests).map(([statusClass, value]) => [`{status_class="${statusClass}"}`, value]),
    ),
    family(
      "link_rtt_seconds",
      "gauge",
      quantilesOf(links.map(({ rttMs }) => rttMs).filter((rttMs) => rttMs !== undefined)).map(([quantile, rttMs]) => [
        `{quantile="${quantile}"}`,
        rttMs / 1000,
      ]),
    ),
    gauge("link_queue_bytes", sum(links.map(({ queuedBytes }) => queuedBytes))),
    counter("preauth_rejected_total", counters.preAuthRejected),
  ].join("");
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Of the links that are there now; nothing where none was measured. */
function quantilesOf(values: readonly number[]): [quantile: string, value: number][] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
  return sorted.length === 0 ? [] : ["0.5", "0.9", "1"].map((part) => [part, at(Number(part))]);
}

type Sample = readonly [labels: string, value: number];

const family = (name: string, type: "gauge" | "counter", samples: readonly Sample[]): string =>
  `# TYPE hoody_tunnel_${name} ${type}\n${samples.map(([labels, value]) => `hoody_tunnel_${name}${labels} ${value}\n`).join("")}`;

const gauge = (name: string, value: number): string => family(name, "gauge", [["", value]]);
const counter = (name: string, value: number): string => family(name, "counter", [["", value]]);
