import {
  createTunnelAdminClient,
  type TunnelAdminClient,
  type TunnelBindingInfo,
  type TunnelHealth,
  type TunnelOverview,
} from "../../index";
import { ExitCode } from "../exitCodes";
import { printable } from "../printable";
import { counted } from "../command/counted";
import { defineCommand } from "../command/command";
import { relayFlags } from "./driverCommands";
import type { Output } from "../command/output";
import { formatTable } from "../command/table";
import { readRelay, readRelayToken, readWhole } from "../values";

const at = "--relay https://relay.example.com";

/** @param stopped ends what is under way @throws {UsageError} the URL or the token cannot be used */
export function connectAdmin(
  given: { readonly relay?: string; readonly token?: string },
  stopped?: AbortSignal,
): TunnelAdminClient {
  const fetchUntilStopped: typeof fetch = (url, { signal, ...init } = {}) =>
    fetch(url, { ...init, signal: AbortSignal.any([signal, stopped].filter((each) => each != null)) });
  return createTunnelAdminClient({
    baseUrl: readRelay(given.relay),
    auth: { token: readRelayToken(given.token) },
    fetchImpl: fetchUntilStopped,
  });
}

/** The body of the answer for programs, or a text for people. */
function answer(output: Output, data: unknown, text: string): number {
  output.print(output.isJson ? JSON.stringify(data) : text);
  return ExitCode.ok;
}

const healthCommand = defineCommand({
  name: "tunnel health",
  about: "Says whether a relay is there, and what its process uses.",
  needed: ["relay"],
  flags: relayFlags,
  example: `npx @bluelibs/runner tunnel health ${at}`,
  async run({ values, output }) {
    const { data } = await connectAdmin(values).health.check();
    return answer(output, data, formatHealth(data));
  },
});

function formatHealth({ status, pid, started, userAgent, fds, memory }: TunnelHealth): string {
  const megabytes = memory && `${Math.round(memory.rss / 1_048_576)} MB`;
  const facts = { status, pid, started, "user agent": userAgent, "open files": fds, memory: megabytes };
  return Object.entries(facts)
    .filter(([, fact]) => fact !== undefined)
    .map(([name, fact]) => printable(`${name.padEnd(10)}  ${String(fact)}`))
    .join("\n");
}

const listCommand = defineCommand({
  name: "tunnel list",
  about: "Lists the sessions of a relay with what they publish, and how much there is in all.",
  needed: ["relay", "token"],
  flags: relayFlags,
  example: `npx @bluelibs/runner tunnel list ${at} --token s3cret`,
  async run({ values, output }) {
    const { data } = await connectAdmin(values).listTunnels();
    return answer(output, data, formatOverview(data));
  },
});

function formatOverview({ sessions, orphanedSessions, totalBindings, totalStreams }: TunnelOverview): string {
  const rows = sessions.map(({ sessionId, peerAddr, activeStreams, exposeBindings, pullBindings }) => [
    sessionId,
    peerAddr,
    activeStreams,
    portsOf(exposeBindings),
    portsOf(pullBindings),
  ]);
  const totals = [
    counted(sessions.length, "session"),
    `${orphanedSessions} parked`,
    counted(totalBindings, "binding"),
    counted(totalStreams, "stream"),
  ];
  return `${formatTable(["SESSION", "PEER", "STREAMS", "EXPOSE", "PULL"], rows)}\n\n${totals.join(", ")}`;
}

const portsOf = (bindings: readonly TunnelBindingInfo[]): string =>
  bindings.map(({ containerPort }) => containerPort).join(",");

const sessionsListCommand = defineCommand({
  name: "tunnel sessions list",
  about: "Lists the sessions of a relay that are connected.",
  needed: ["relay", "token"],
  flags: relayFlags,
  example: `npx @bluelibs/runner tunnel sessions list ${at} --token s3cret`,
  async run({ values, output }) {
    const { data } = await connectAdmin(values).listSessions();
    const rows = data.sessions.map(({ sessionId, peerAddr, protocol, activeStreams, maxStreams, ...rest }) => [
      sessionId,
      peerAddr,
      protocol,
      `${activeStreams}/${maxStreams}`,
      rest.connectionsGranted,
      rest.bindings.map(({ mode, containerPort, bindId }) => `${mode}:${containerPort}#${bindId}`).join(","),
    ]);
    const titles = ["SESSION", "PEER", "PROTOCOL", "STREAMS", "SERVED", "BINDINGS"];
    return answer(output, data, formatTable(titles, rows));
  },
});

const sessionsKillCommand = defineCommand({
  name: "tunnel sessions kill",
  about: "Ends a session with its bindings; its driver does not come back.",
  positionals: [{ name: "id", about: "its id, as the lists have it" }],
  needed: ["relay", "token"],
  flags: {
    ...relayFlags,
    "grace-ms": { type: "string", value: "<ms>", about: "how long its visitors may take, 0 to 5000; default 50" },
  },
  example: `npx @bluelibs/runner tunnel sessions kill ts_628ce3bd17d695197b421c10 ${at} --token s3cret --grace-ms 1000`,
  async run({ values, positionals: [id = ""], output }) {
    const grace = values["grace-ms"];
    const graceMs = grace === undefined ? undefined : readWhole("--grace-ms", grace, [0, 5_000]);
    const { data } = await connectAdmin(values).killSession(id, graceMs);
    return answer(output, data, printable(`Session ${data.sessionId} is ${data.status}.`));
  },
});

const bindingsListCommand = defineCommand({
  name: "tunnel bindings list",
  about: "Lists the ports that are bound on a relay, those of parked sessions included.",
  needed: ["relay", "token"],
  flags: relayFlags,
  example: `npx @bluelibs/runner tunnel bindings list ${at} --token s3cret`,
  async run({ values, output }) {
    const { data } = await connectAdmin(values).listBindings();
    const rows = data.bindings.map(({ port, kind, mode, sessionId, bindId }) => [
      port,
      kind,
      mode,
      sessionId,
      // Rows of PULL bindings name no session.
      sessionId === "" ? undefined : bindId,
    ]);
    return answer(output, data, formatTable(["PORT", "KIND", "MODE", "SESSION", "BINDING"], rows));
  },
});

const metricsCommand = defineCommand({
  name: "tunnel metrics",
  about: "Prints the metrics of a relay as Prometheus text.",
  needed: ["relay", "token"],
  flags: relayFlags,
  example: `npx @bluelibs/runner tunnel metrics ${at} --token s3cret`,
  async run({ values, output }) {
    const { data } = await connectAdmin(values).getMetrics();
    return answer(output, { metrics: data }, data.trimEnd());
  },
});

/** What operators see and do. */
export const operatorCommands = [
  healthCommand,
  listCommand,
  sessionsListCommand,
  sessionsKillCommand,
  bindingsListCommand,
  metricsCommand,
];
