import { once } from "node:events";
import { globals, r, run, tunnelRelay, type TunnelRelay, type TunnelRelayConfig } from "../../index";
import { ExitCode } from "../exitCodes";
import { UsageError } from "../usageError";
import { counted } from "../command/counted";
import { defineCommand, type ValuesOf } from "../command/command";
import { stopSignal } from "../command/stopSignal";
import { fromEnvironment, readFileOf, readHost, readPortRange, readToken, readWhole } from "../values";

const flags = {
  port: { type: "string", value: "<p>", about: "port to listen on, 0 for any free one" },
  host: { type: "string", value: "<h>", about: "address to listen on; default 127.0.0.1" },
  token: {
    type: "string",
    multiple: true,
    value: "<t>",
    about: "credentials of drivers and operators; default RUNNER_TUNNEL_TOKEN, else programs of this machine alone",
  },
  "public-url-pattern": {
    type: "string",
    multiple: true,
    value: "<s>",
    about: "where bindings are published, as https://{name}.tun.example.com; default HOODY_TUNNEL_PUBLIC_URL_PATTERN",
  },
  "port-range": { type: "string", value: "<a-b>", about: "ports for bindings that ask for none; default 20000-20999" },
  "max-pre-auth-connections": { type: "string", value: "<n>", about: "connections without a greeting; default 32" },
  "allow-privileged-expose": { type: "boolean", about: "lets drivers publish on ports 80 to 1023" },
  "allow-privileged-pull": { type: "boolean", about: "lets drivers project services onto ports 80 to 1023" },
  "tls-cert": { type: "string", value: "<file>", about: "serves https: certificate and its chain, as PEM" },
  "tls-key": { type: "string", value: "<file>", about: "key of the certificate, as PEM" },
} as const;

export const relayCommand = defineCommand({
  name: "tunnel relay",
  about: "Runs a relay: drivers connect to it, and publish their services through it.",
  needed: ["port"],
  flags,
  example:
    "RUNNER_TUNNEL_TOKEN=s3cret npx @bluelibs/runner tunnel relay --port 4040 --public-url-pattern 'https://{name}.tun.example.com'",
  async run({ values, output }) {
    const relay = configure(readConfig(values));
    const root = r
      .resource("runner.tunnel.relay")
      .register([relay])
      .dependencies({ logger: globals.resources.logger })
      .init(async (_config, { logger }) => {
        logger.onLog(({ level, message }) => {
          if (level === "warn" || level === "error" || level === "critical") {
            output.note({ event: "log", level, message }, `${level}: ${String(message)}`);
          }
        });
      })
      .build();
    let sessions: TunnelRelay["sessions"] = () => [];
    const stopped = stopSignal(() => {
      if (sessions().some(({ activeStreams }) => activeStreams > 0)) {
        output.note({ event: "stopping" }, "Visitors are being served. Ctrl-C again ends at once.");
      }
    });
    // The command ends by itself, and prints what is logged.
    const app = await run(root, { shutdownHooks: false, logs: { printThreshold: null, bufferLogs: true } });
    const { url, ...value } = app.getResourceValue(tunnelRelay);
    ({ sessions } = value);
    output.event({ event: "listening", url }, `Relay listens at ${url}`);
    const endStatus = output.keepStatus(() => {
      const all = sessions().filter(({ isAttached }) => isAttached);
      const streams = all.reduce((sum, { activeStreams }) => sum + activeStreams, 0);
      return `${url}  listening  ${counted(all.length, "session")}  ${counted(streams, "stream")}`;
    });
    if (!stopped.aborted) await once(stopped, "abort");
    endStatus();
    await app.dispose();
    return ExitCode.ok;
  },
});

function readConfig(values: ValuesOf<typeof flags>): TunnelRelayConfig {
  const { port, host, token, "tls-cert": cert, "tls-key": key } = values;
  if (port === undefined)
    throw new UsageError("--port is needed: the port to listen on, or 0 for any. Add --port 4040.");
  const fallback = fromEnvironment(undefined, "RUNNER_TUNNEL_TOKEN");
  const tokens = (token ?? (fallback === undefined ? [] : [fallback])).map(readToken);
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError(
      `${cert === undefined ? "--tls-key needs --tls-cert" : "--tls-cert needs --tls-key"} as well.`,
    );
  }
  const range = values["port-range"];
  const preAuth = values["max-pre-auth-connections"];
  return {
    listen: { port: readWhole("--port", port, [0, 65_535]), host: host === undefined ? undefined : readHost(host) },
    ...(tokens.length > 0 && { auth: { token: tokens } }),
    publicUrlPattern: values["public-url-pattern"],
    portRange: range === undefined ? undefined : readPortRange(range),
    allowPrivileged: { expose: values["allow-privileged-expose"], pull: values["allow-privileged-pull"] },
    tls:
      cert === undefined || key === undefined
        ? undefined
        : { cert: readFileOf("--tls-cert", cert), key: readFileOf("--tls-key", key) },
    limits: {
      maxPreAuthConnections:
        preAuth === undefined ? undefined : readWhole("--max-pre-auth-connections", preAuth, [1, 65_535]),
    },
  };
}

function configure(config: TunnelRelayConfig) {
  try {
    return tunnelRelay.with(config);
  } catch (error) {
    const { cause = error } = error as Error;
    throw new UsageError(flagOf((cause as Error).message));
  }
}

/** Messages of the configuration name its options. */
const flagOf = (message: string): string =>
  message
    .replace("tls.cert and tls.key", "--tls-cert and --tls-key")
    .replace("public URL pattern", "--public-url-pattern");
