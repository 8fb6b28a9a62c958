import type { RelayParts } from "./relayParts";

/** The state of a relay as Prometheus text 0.0.4. No label names a session: their number has no limit over time. */
export function renderMetrics({ sessions, bindings, counters }: RelayParts): string {
  const attached = sessions.all.filter(({ isAttached }) => isAttached);
  const countOf = (mode: string): number => bindings.all.filter((binding) => binding.mode === mode).length;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return [
    gauge("sessions_active", attached.length),
    gauge("sessions_orphaned", sessions.all.length - attached.length),
    family("bindings_active", "gauge", [
      ['{mode="expose"}', countOf("expose")],
      ['{mode="pull"}', countOf("pull")],
    ]),
    gauge("streams_active", sum(sessions.all.map(({ activeStreams }) => activeStreams))),
    counter("streams_total", sum(sessions.all.map(({ openedTotal }) => openedTotal))),
    gauge(
      "link_queue_bytes",
      sum(attached.flatMap(({ mux }) => (mux?.links ?? []).map(({ queuedBytes }) => queuedBytes))),
    ),
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
    counter("preauth_rejected_total", counters.preAuthRejected),
  ].join("");
}

type Sample = readonly [labels: string, value: number];

const family = (name: string, type: "gauge" | "counter", samples: readonly Sample[]): string =>
  `# TYPE hoody_tunnel_${name} ${type}\n${samples.map(([labels, value]) => `hoody_tunnel_${name}${labels} ${value}\n`).join("")}`;

const gauge = (name: string, value: number): string => family(name, "gauge", [["", value]]);
const counter = (name: string, value: number): string => family(name, "counter", [["", value]]);
