import { fieldsOf, flag, invalid } from "../../lib/configFields";
import { isOrigin } from "../../tunnels/http/config/origin";
import { createAddressSet } from "../server/addressSet";
import type { TunnelRelayAuth, TunnelRelayConfig, TunnelRelayLimits } from "./tunnelRelayConfig";

/** The keys of a type, each once: one that is forgotten does not compile. */
type KeysOf<T> = Readonly<Record<keyof Required<T> & string, true>>;

const configKeys: KeysOf<TunnelRelayConfig> = {
  listen: true,
  tls: true,
  server: true,
  auth: true,
  publicUrlPattern: true,
  portRange: true,
  allowedOrigins: true,
  hosts: true,
  allowPrivileged: true,
  trustedProxies: true,
  aliases: true,
  gates: true,
  gatesByName: true,
  hooks: true,
  hookTimeoutMs: true,
  limits: true,
  fdLimit: true,
  idleMs: true,
  pingMs: true,
  deadMs: true,
  graceMs: true,
  drainMs: true,
  responseTimeoutMs: true,
};

const limitKeys: KeysOf<TunnelRelayLimits> = {
  maxPreAuthConnections: true,
  helloTimeoutMs: true,
  maxSessions: true,
  maxSessionsPerPrincipal: true,
  maxConnectionsPerSession: true,
  maxStreams: true,
  maxBindings: true,
  maxFrame: true,
  window: true,
  maxWindow: true,
  sessionBufferBytes: true,
  linkQueueBytes: true,
  maxLinkQueueBytes: true,
  maxControlFrames: true,
  controlRate: true,
  controlBurst: true,
  connectHeadBytes: true,
  fdPermits: true,
  maxConnectionsPerVisitorIp: true,
  visitorHeadBytes: true,
  visitorHeadMs: true,
  visitorRequestMs: true,
  visitorIdleMs: true,
};

const authKeys: KeysOf<TunnelRelayAuth> = { token: true, header: true, allowAnonymous: true };

const namesIn = <T>(keys: KeysOf<T>) => Object.keys(keys) as (keyof T & string)[];

/**
 * Checks what a config is made of. One field that is misspelt, or of another kind, could open what it was to close.
 *
 * @throws {TypeError} the message names the field
 */
export function checkFields(config: unknown): void {
  const fields = fieldsOf<TunnelRelayConfig>(config, "config", namesIn(configKeys));
  const { server, portRange, trustedProxies, allowedOrigins, hosts } = fields;
  const { host } = fieldsOf<{ port: number; host: string }>(fields.listen, "listen", ["port", "host"]);
  if (host !== undefined && (typeof host !== "string" || host === "")) {
    throw invalid("listen.host", "a non-empty string", host);
  }
  fieldsOf<{ cert: string; key: string }>(fields.tls, "tls", ["cert", "key"]);
  if (server !== undefined && typeof Object(server).on !== "function")
    throw invalid("server", "an http.Server", server);
  const { header, allowAnonymous } = fieldsOf<TunnelRelayAuth>(fields.auth, "auth", namesIn(authKeys));
  if (header !== undefined && (typeof header !== "string" || !/^[\w!#$%&'*+.^`|~-]+$/.test(header))) {
    throw invalid("auth.header", "the name of a header", header);
  }
  flag(allowAnonymous, "auth.allowAnonymous");
  const privileged = ["expose", "pull"] as const;
  const allowed = fieldsOf<{ expose: boolean; pull: boolean }>(fields.allowPrivileged, "allowPrivileged", privileged);
  for (const mode of privileged) flag(allowed[mode], `allowPrivileged.${mode}`);
  if (portRange !== undefined && !(Array.isArray(portRange) && portRange.length === 2)) {
    throw invalid("portRange", "two ports, the lower one first", portRange);
  }
  if (allowedOrigins !== undefined && !(Array.isArray(allowedOrigins) && allowedOrigins.every(isOrigin))) {
    const expected = 'a list of origins as browsers send them, such as "https://app.example.com"';
    throw invalid("allowedOrigins", expected, allowedOrigins);
  }
  if (hosts !== undefined && !Array.isArray(hosts)) throw invalid("hosts", "a list of host names", hosts);
  if (trustedProxies !== undefined) {
    if (!Array.isArray(trustedProxies)) {
      throw invalid("trustedProxies", "a list of addresses and ranges", trustedProxies);
    }
    createAddressSet("trustedProxies", trustedProxies as readonly string[]);
  }
  fieldsOf<TunnelRelayLimits>(fields.limits, "limits", namesIn(limitKeys));
}
