import type { RelayParts } from "./relayParts";

/** The state of a relay as Prometheus text 0.0.4. No label names a session: their number has no limit over time. */
export function renderMetrics({ sessions, bindings, counters, permits }: RelayParts): string {
  const attached = sessions.all.filter(({ isAttached }) => isAttached);
  const countOf = (mode: string): number => bindings.all.filter((binding) => binding.mode === mode).length;
  const links = attached.flatMap(({ mux }) => mux?.links ?? []);
  const active = sessions.all.flatMap(({ activeMux }) => [...(activeMux?.streams ?? [])]);
  const activeOf = (kind: string): number => active.filter((stream) => stream.kind === kind).length;
  return [
    gauge("sessions_active", "Sessions whose driver is connected.", attached.length),
    gauge("sessions_orphaned", "Sessions that wait for their driver.", sessions.all.length - attached.length),
    family("bindings_active", "gauge", "Services that drivers have bound.", [
      ['{mode="expose"}', countOf("expose")],
      ['{mode="pull"}', countOf("pull")],
    ]),
    gauge("fd_permits_available", "Descriptors that are left for visitors and links.", permits.available),
    gauge("streams_active", "Streams that are open.", active.length),
    family("streams_total", "counter", "Streams that were opened.", [
      ['{kind="http",mode="expose"}', counters.streams.http + activeOf("http")],
      ['{kind="tcp",mode="pull"}', counters.streams.tcp + activeOf("tcp")],
    ]),
    family(
      "stream_resets_total",
      "counter",
      "Streams that were reset, by the code of the reset.",
      [...counters.resets].map(([code, value]) => [`{code="${code}"}`, value]),
    ),
    family("bytes_total", "counter", "Bytes of streams, to drivers (in) and from them (out).", [
      ['{dir="in"}', counters.bytes.in + sum(active.map(({ sentBytes }) => sentBytes))],
      ['{dir="out"}', counters.bytes.out + sum(active.map(({ receivedBytes }) => receivedBytes))],
    ]),
    family("resumes_total", "counter", "Drivers that came back for a session.", [
      ['{result="resumed"}', counters.resumes.resumed],
      ['{result="unknown"}', counters.resumes.unknown],
    ]),
    family("takeovers_total", "counter", "Bindings that another driver took over.", [["", bindings.takeovers]]),
    family(
      "requests_total",
      "counter",
      "Requests of visitors that were answered, by the class of the status.",
      Object.entries(counters.requests).map(([statusClass, value]) => [`{status_class="${statusClass}"}`, value]),
    ),
    family(
      "link_rtt_seconds",
      "summary",
      "Round trip of the links that are there now.",
      quantilesOf(links.map(({ rttMs }) => rttMs).filter((rttMs) => rttMs !== undefined)).map(([quantile, rttMs]) => [
        `{quantile="${quantile}"}`,
        rttMs / 1000,
      ]),
    ),
    gauge("link_queue_bytes", "Bytes that wait for links.", sum(links.map(({ queuedBytes }) => queuedBytes))),
    family("preauth_rejected_total", "counter", "Connections that were refused before they said who they are.", [
      ["", counters.preAuthRejected],
    ]),
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

/** @param help what is measured, in one sentence: Prometheus shows it beside the name */
const family = (
  name: string,
  type: "gauge" | "counter" | "summary",
  help: string,
  samples: readonly Sample[],
): string =>
  `# HELP hoody_tunnel_${name} ${help}\n# TYPE hoody_tunnel_${name} ${type}\n${samples.map(([labels, value]) => `hoody_tunnel_${name}${labels} ${value}\n`).join("")}`;

const gauge = (name: string, help: string, value: number): string => family(name, "gauge", help, [["", value]]);
