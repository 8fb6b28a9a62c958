import { amount, fieldsOf, invalid, milliseconds } from "../../lib/configFields";

/** What a connection authenticates by. */
export type NatsCredentials =
  | { readonly token: string }
  | { readonly user: string; readonly password: string }
  /** The text of a `.creds` file: a JWT and a seed. */
  | { readonly creds: string }
  | { readonly nkeySeed: string };

/** How the connection is encrypted; with `{}` as the system trusts certificates. */
export interface NatsTlsOptions {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Configures `natsConnection`. */
export interface NatsConnectionConfig {
  /** One server or several of a cluster, as "nats://127.0.0.1:4222". */
  readonly servers: string | readonly string[];
  /** Default: none. */
  readonly credentials?: NatsCredentials | undefined;
  readonly tls?: NatsTlsOptions | undefined;
  /** What the monitoring of the broker calls the connection. Default: "runner". */
  readonly name?: string | undefined;
  /** How long a connection may take to come about, in ms. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** How often the broker is asked whether it is there, in ms; two missing replies break the connection. Default 10,000. */
  readonly pingIntervalMs?: number | undefined;
  /** Begins the addresses of replies, so that permissions may tell those of services apart. Default "_INBOX". */
  readonly inboxPrefix?: string | undefined;
}

export interface ResolvedConnectionConfig {
  readonly servers: readonly string[];
  readonly credentials: NatsCredentials | Record<never, never>;
  readonly tls: { ca?: string; cert?: string; key?: string } | undefined;
  readonly name: string;
  readonly connectTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly inboxPrefix: string;
}

const keys: readonly (keyof NatsConnectionConfig)[] = [
  "servers",
  "credentials",
  "tls",
  "name",
  "connectTimeoutMs",
  "pingIntervalMs",
  "inboxPrefix",
];

/** Fills the gaps. @throws {TypeError} a value makes no sense; the message names the field */
export function resolveConnectionConfig(config: unknown): ResolvedConnectionConfig {
  const stated = fieldsOf<NatsConnectionConfig>(config, "natsConnection", keys);
  const { name = "runner", inboxPrefix = "_INBOX" } = stated;
  if (typeof name !== "string") throw invalid("natsConnection.name", "a string", name);
  if (typeof inboxPrefix !== "string" || !/^[\w-]+(\.[\w-]+)*$/.test(inboxPrefix)) {
    throw invalid("natsConnection.inboxPrefix", "a subject without wildcards", inboxPrefix);
  }
  return Object.freeze({
    servers: resolveServers(stated.servers),
    credentials: resolveCredentials(stated.credentials),
    tls: resolveTls(stated.tls),
    name,
    connectTimeoutMs: milliseconds(stated.connectTimeoutMs, "natsConnection.connectTimeoutMs", 5000),
    pingIntervalMs: Math.max(amount(stated.pingIntervalMs, "natsConnection.pingIntervalMs", 10_000), 100),
    inboxPrefix,
  });
}

function resolveServers(servers: unknown): readonly string[] {
  const listed: readonly unknown[] = Array.isArray(servers) ? servers : [servers];
  if (listed.length > 0 && listed.every(isAddress)) return listed;
  throw invalid("natsConnection.servers", 'an address as "nats://127.0.0.1:4222", or a list of them', servers);
}

/** Credentials in an address would be in every message that names it. */
const isAddress = (server: unknown): server is string =>
  typeof server === "string" && server !== "" && !/[\s@]/.test(server);

function resolveCredentials(credentials: unknown): ResolvedConnectionConfig["credentials"] {
  if (credentials === undefined) return {};
  const forms = [["token"], ["user", "password"], ["creds"], ["nkeySeed"]];
  const given = Object(credentials) as Record<string, unknown>;
  const isForm = (form: readonly string[]): boolean =>
    Object.keys(given).length === form.length && form.every((key) => typeof given[key] === "string");
  if (forms.some(isForm)) return given;
  // Not by `invalid`, which quotes what it got.
  throw new TypeError("natsConnection.credentials must be { token }, { user, password }, { creds } or { nkeySeed }.");
}

function resolveTls(tls: unknown): ResolvedConnectionConfig["tls"] {
  if (tls === undefined) return undefined;
  const stated = fieldsOf<NatsTlsOptions>(tls, "natsConnection.tls", ["ca", "cert", "key"]);
  for (const [key, value] of Object.entries(stated)) {
    if (value !== undefined && typeof value !== "string") throw invalid(`natsConnection.tls.${key}`, "PEM text", value);
  }
  return stated as NonNullable<ResolvedConnectionConfig["tls"]>;
}
