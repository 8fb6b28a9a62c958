import { resolveAuth, type HttpAuthConfig, type ResolvedAuth } from "../../../tunnels/http/config/auth";
import { resolveCallLimits, type CallLimits, type ResolvedCallLimits } from "../../../tunnels/http/config/callLimits";
import { fieldsOf, flag, invalid, milliseconds } from "../../../lib/configFields";
import { resolveContexts, resolveContract } from "../../../tunnels/http/config/httpFields";
import type { ContextSelection } from "../../../tunnels/routing/contextSelection";
import type { ContractDetail } from "../../../tunnels/server/discoverContract";
import { isName, namePatternText } from "../subjects";

/** Who may call over NATS. The broker itself is not trusted with that. */
export interface NatsAuthConfig extends Omit<HttpAuthConfig, "cookie" | "maxFailures"> {}

/** What is accepted of each call. */
export interface NatsExposureLimits extends Pick<
  CallLimits,
  "json" | "authMs" | "inFlight" | "running" | "maxDeadlineMs" | "streams"
> {}

/** How a server ends. */
export interface NatsDrainConfig {
  /** How long calls in flight may take from then on, in ms. After that their signals abort. Default 10,000. */
  readonly graceMs?: number | undefined;
}

/** Configures `natsExposure`. */
export interface NatsExposureConfig {
  /** The first part of all subjects: applications that share a broker have one each. */
  readonly namespace: string;
  /** Processes of one group share its calls: each goes to one of them. */
  readonly group: string;
  /** Without it no caller is served. */
  readonly auth?: NatsAuthConfig | undefined;
  /** Which async contexts callers may set, where the tunnel that opens a task or event says so too. Default "all". */
  readonly contexts?: ContextSelection | undefined;
  readonly limits?: NatsExposureLimits | undefined;
  readonly drain?: NatsDrainConfig | undefined;
  /**
   * What all ids begin with that are this group's alone, as "billing". One that is not served gets the 403 of HTTP then.
   * Default: calls of what no server tunnel lists have no responder.
   */
  readonly prefixes?: readonly string[] | undefined;
  /**
   * Lets versions of one task run side by side: callers whose `natsClient` knows the hash of a task reach the processes that serve
   * this version of it. `"schemas"` is the same, for what is shared with HTTP. Default: one version.
   */
  readonly contract?: ContractDetail | undefined;
  /** Without any server tunnel: let callers reach everything that is registered. Default false. */
  readonly dangerouslyAllowOpenExposure?: boolean | undefined;
}

export interface ResolvedNatsExposureConfig {
  readonly namespace: string;
  readonly group: string;
  readonly auth: ResolvedAuth;
  readonly contexts: ContextSelection;
  readonly limits: ResolvedCallLimits;
  readonly graceMs: number;
  readonly prefixes: readonly string[];
  readonly isVersioned: boolean;
  readonly open: boolean;
}

const keys: readonly (keyof NatsExposureConfig)[] = [
  "namespace",
  "group",
  "auth",
  "contexts",
  "limits",
  "drain",
  "prefixes",
  "contract",
  "dangerouslyAllowOpenExposure",
];

export const natsAuthKeys: readonly (keyof NatsAuthConfig)[] = [
  "header",
  "token",
  "tokens",
  "principal",
  "required",
  "allowAnonymous",
];

const limitKeys: readonly (keyof NatsExposureLimits)[] = [
  "json",
  "authMs",
  "inFlight",
  "running",
  "maxDeadlineMs",
  "streams",
];

/** Fills the gaps. @throws {TypeError} a value makes no sense; the message names the field */
export function resolveNatsExposureConfig(config: unknown): ResolvedNatsExposureConfig {
  const stated = fieldsOf<NatsExposureConfig>(config, "natsExposure", keys);
  const { namespace, group, prefixes = [] } = stated;
  if (!isName(namespace)) throw invalid("natsExposure.namespace", namePatternText, namespace);
  if (!isName(group)) throw invalid("natsExposure.group", namePatternText, group);
  if (!Array.isArray(prefixes) || !prefixes.every((prefix) => typeof prefix === "string" && prefix !== "")) {
    throw invalid("natsExposure.prefixes", 'a list of what ids begin with, as ["billing"]', prefixes);
  }
  const drain = fieldsOf<NatsDrainConfig>(stated.drain, "natsExposure.drain", ["graceMs"]);
  fieldsOf(stated.auth, "natsExposure.auth", natsAuthKeys as readonly never[]);
  const limits = fieldsOf<NatsExposureLimits>(stated.limits, "natsExposure.limits", limitKeys);
  return Object.freeze({
    namespace,
    group,
    auth: resolveAuth(stated.auth, "natsExposure.auth"),
    contexts: resolveContexts(stated.contexts),
    limits: resolveCallLimits(limits, "natsExposure.limits"),
    graceMs: milliseconds(drain.graceMs, "natsExposure.drain.graceMs", 10_000),
    prefixes: prefixes as readonly string[],
    isVersioned: resolveContract(stated.contract, "natsExposure.contract") !== undefined,
    open: flag(stated.dangerouslyAllowOpenExposure, "natsExposure.dangerouslyAllowOpenExposure"),
  });
}
