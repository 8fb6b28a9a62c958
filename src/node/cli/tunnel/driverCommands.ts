import { once } from "node:events";
import { tunnelExpose, tunnelPull, TunnelSession, type TunnelHandle } from "../../index";
import { ExitCode } from "../exitCodes";
import { counted } from "../command/counted";
import { defineCommand } from "../command/command";
import type { Output } from "../command/output";
import { stopSignal } from "../command/stopSignal";
import { readName, readRelay, readRelayToken, readWhole } from "../values";

/** Of every command that talks to a relay. */
export const relayFlags = {
  relay: { type: "string", value: "<url>", about: "URL of the relay; default RUNNER_TUNNEL_RELAY" },
  token: { type: "string", value: "<t>", about: "credentials; default RUNNER_TUNNEL_TOKEN" },
} as const;

const containerPort = {
  type: "string",
  value: "<n>",
  about: "port on the relay's loopback interface, 0 for any; default 0",
} as const;

const localPort = { name: "localPort", about: "port of the service on this machine" } as const;

export const exposeCommand = defineCommand({
  name: "tunnel expose",
  about: "Publishes an HTTP service of this machine, WebSockets included, through a relay.",
  positionals: [localPort],
  needed: ["relay", "token"],
  flags: {
    ...relayFlags,
    "container-port": containerPort,
    name: { type: "string", value: "<s>", about: "name in its public URL, one label of a host name; default none" },
    takeover: { type: "boolean", about: "takes the port or name over from another session of the same caller" },
  },
  example: "npx @bluelibs/runner tunnel expose 3000 --relay https://relay.example.com --token s3cret --name web",
  run({ values, positionals: [given = ""], output }) {
    const port = readWhole("<localPort>", given, [1, 65_535]);
    const { name: stated, takeover, "container-port": at = "0" } = values;
    const name = stated === undefined ? undefined : readName(stated);
    const options = { port, containerPort: readWhole("--container-port", at, [0, 65_535]), name, takeover };
    return drive(values, output, (shared) => tunnelExpose({ ...shared, ...options }));
  },
});

export const pullCommand = defineCommand({
  name: "tunnel pull",
  about: "Projects a TCP service of this machine, such as a database, onto the relay's loopback interface.",
  positionals: [localPort],
  needed: ["relay", "token", "container-port"],
  flags: { ...relayFlags, "container-port": containerPort },
  example:
    "npx @bluelibs/runner tunnel pull 5432 --relay https://relay.example.com --token s3cret --container-port 15432",
  run({ values, positionals: [given = ""], output }) {
    const port = readWhole("<localPort>", given, [1, 65_535]);
    const at = readWhole("--container-port", values["container-port"] ?? "0", [0, 65_535]);
    return drive(values, output, (shared) => tunnelPull({ ...shared, localPort: port, containerPort: at }));
  },
});

/** Every few seconds, so that the round trip in the status line is not that of a tunnel without traffic. */
const pingMs = 5_000;

/** Publishes until it is asked to stop. @returns the exit code @throws what the first binding failed with */
async function drive(
  given: { readonly relay?: string; readonly token?: string },
  output: Output,
  publish: (shared: { readonly relay: string; readonly session: TunnelSession }) => Promise<TunnelHandle>,
): Promise<number> {
  const options = { relay: readRelay(given.relay), token: readRelayToken(given.token) };
  const stopped = stopSignal();
  await using session = new TunnelSession(options);
  reportRetries(session, output);
  let handle: TunnelHandle | undefined;
  const endStatus = output.keepStatus(() => statusOf(session, handle));
  const ping = setInterval(() => session.ping(), pingMs).unref();
  try {
    const asked = stopped.aborted ? Promise.resolve() : once(stopped, "abort");
    handle = await Promise.race([publish({ relay: options.relay, session }), asked.then(() => undefined)]);
    if (handle === undefined) return ExitCode.ok;
    const gone = reportEvents(session, handle, output);
    await Promise.race([asked, session.ended(), gone]);
    return stopped.aborted ? ExitCode.ok : ExitCode.failed;
  } finally {
    clearInterval(ping);
    endStatus();
  }
}

function statusOf(session: TunnelSession, handle: TunnelHandle | undefined): string {
  const { rttMs, state, activeStreams, totalStreams } = session;
  const place = handle === undefined ? "not published yet" : (handle.publicUrl ?? `port ${handle.containerPort}`);
  const rtt = rttMs === undefined ? "" : `  RTT ${rttMs < 10 ? rttMs.toFixed(1) : Math.round(rttMs)} ms`;
  return `${place}  ${state}  ${counted(activeStreams, "stream")}${rtt}  ${counted(totalStreams, "request")}`;
}

/** Each reason once, until there was a connection. */
function reportRetries(session: TunnelSession, output: Output): void {
  let told = "";
  session.on("state", (state) => {
    if (state === "connected") told = "";
  });
  session.on("retry", ({ error, delayMs }) => {
    if (error === undefined) return;
    const reason = error.message || (error as NodeJS.ErrnoException).code || error.name;
    if (reason !== told) {
      output.note(
        { event: "retry", message: reason, delayMs: Math.round(delayMs) },
        `Not connected, trying again: ${reason}`,
      );
    }
    told = reason;
  });
}

/** @returns what resolves when nothing is published any more */
function reportEvents(session: TunnelSession, handle: TunnelHandle, output: Output): Promise<void> {
  const tellBound = (): void => {
    const { bindId, containerPort: port, publicUrl } = handle;
    const onPort = `port ${port} of the relay's loopback interface`;
    output.event(
      { event: "bound", sessionId: session.sessionId, bindId, port, publicUrl },
      publicUrl === null ? `Published on ${onPort}` : `Published at ${publicUrl}, and on ${onPort}`,
    );
  };
  tellBound();
  session.on("bound", tellBound);
  session.on("state", (state) => output.event({ event: "state", state }, `Session is ${state}`));
  session.on("resumed", ({ resumed, sessionId }) => {
    // A relay without the session binds anew, which is told.
    if (resumed) output.event({ event: "resumed", sessionId }, "Session resumed");
  });
  session.on("goaway", ({ code, message, reconnect }) =>
    output.event({ event: "goaway", code, reconnect }, `Relay says ${code}: ${message}`),
  );
  return new Promise((resolve) =>
    session.on("bindRevoked", ({ bindId, code }) => {
      output.event({ event: "revoked", bindId, code }, `Binding was revoked (${code})`);
      resolve();
    }),
  );
}
