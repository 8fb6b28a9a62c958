import type { IEvent } from "../../../define/event";
import { resolveAuth, type ResolvedAuth } from "../../../tunnels/http/config/auth";
import { amount, fieldsOf, invalid, milliseconds } from "../../../lib/configFields";
import { resolveContexts } from "../../../tunnels/http/config/httpFields";
import type { ContextSelection } from "../../../tunnels/routing/contextSelection";
import { natsAuthKeys, type NatsAuthConfig } from "../server/natsExposureConfig";
import { isName, namePatternText } from "../subjects";
import type { NatsEventDelivery } from "./eventPublisher";

/** Configures `natsEvents`. */
export interface NatsEventsConfig {
  /** The first part of all subjects: applications that share a broker have one each. */
  readonly namespace: string;
  /** Processes of one service share its events, and each service gets all of them. */
  readonly service: string;
  /** Which events, by definition or id. */
  readonly events: readonly (IEvent<any> | string)[]; // any: the payloads are the events'
  /** `"durable"`: at least once; `"fanout"`: at most once, in each process. Default "durable". */
  readonly mode?: NatsEventDelivery | undefined;
  /** Default: all that the broker lets publish are trusted, unless there are validator tasks. */
  readonly auth?: NatsAuthConfig | undefined;
  /** Which async contexts emitters may set. Default "all". */
  readonly contexts?: ContextSelection | undefined;
  /** How often the hooks are tried; then the event goes to the stream of those that were given up. Default 5. */
  readonly maxDeliver?: number | undefined;
  /** How long each next try waits, in ms; the last one counts for all that follow. Default 1,000, 5,000, 30,000. */
  readonly backoffMs?: readonly number[] | undefined;
  /** How long a process that has an event may be silent, in ms; then another one gets it. Default 30,000. */
  readonly ackWaitMs?: number | undefined;
  /** How many events of one id are under way at a time, over all processes of the service; 1 keeps their order. Default 64. */
  readonly maxInFlight?: number | undefined;
  /** Of each event what its payload is in order by: of one key, one at a time has its hooks run, in each process. By event id. */
  readonly partitionBy?: Readonly<Record<string, (payload: any) => string>> | undefined; // any: as above
  readonly drain?: { readonly graceMs?: number | undefined } | undefined;
}

export interface ResolvedEventsConfig {
  readonly namespace: string;
  readonly service: string;
  readonly eventIds: readonly string[];
  readonly mode: NatsEventDelivery;
  readonly auth: ResolvedAuth;
  readonly contexts: ContextSelection;
  readonly maxDeliver: number;
  readonly backoffMs: readonly number[];
  readonly ackWaitMs: number;
  readonly maxInFlight: number;
  readonly partitionBy: Readonly<Record<string, (payload: unknown) => string>>;
  readonly graceMs: number;
}

const keys: readonly (keyof NatsEventsConfig)[] = [
  "namespace",
  "service",
  "events",
  "mode",
  "auth",
  "contexts",
  "maxDeliver",
  "backoffMs",
  "ackWaitMs",
  "maxInFlight",
  "partitionBy",
  "drain",
];

/** Fills the gaps. @throws {TypeError} a value makes no sense; the message names the field */
export function resolveEventsConfig(config: unknown): ResolvedEventsConfig {
  const stated = fieldsOf<NatsEventsConfig>(config, "natsEvents", keys);
  const { namespace, service, mode = "durable", backoffMs = [1000, 5000, 30_000], partitionBy = {} } = stated;
  if (!isName(namespace)) throw invalid("natsEvents.namespace", namePatternText, namespace);
  if (!isName(service)) throw invalid("natsEvents.service", namePatternText, service);
  if (mode !== "durable" && mode !== "fanout") throw invalid("natsEvents.mode", '"durable" or "fanout"', mode);
  if (!Array.isArray(backoffMs) || backoffMs.length === 0 || !backoffMs.every(isTime)) {
    throw invalid("natsEvents.backoffMs", "a list of milliseconds", backoffMs);
  }
  const eventIds = resolveEvents(stated.events);
  const keysBy = fieldsOf<Record<string, unknown>>(partitionBy, "natsEvents.partitionBy", eventIds);
  for (const [id, keyOf] of Object.entries(keysBy)) {
    if (typeof keyOf !== "function") throw invalid(`natsEvents.partitionBy["${id}"]`, "a function", keyOf);
  }
  const drain = fieldsOf<{ graceMs: number }>(stated.drain, "natsEvents.drain", ["graceMs"]);
  fieldsOf<NatsAuthConfig>(stated.auth, "natsEvents.auth", natsAuthKeys);
  return Object.freeze({
    namespace,
    service,
    eventIds,
    mode,
    auth: resolveAuth(stated.auth, "natsEvents.auth"),
    contexts: resolveContexts(stated.contexts),
    maxDeliver: Math.max(1, amount(stated.maxDeliver, "natsEvents.maxDeliver", 5)),
    backoffMs: backoffMs as readonly number[],
    ackWaitMs: Math.max(100, milliseconds(stated.ackWaitMs, "natsEvents.ackWaitMs", 30_000)),
    maxInFlight: Math.max(1, amount(stated.maxInFlight, "natsEvents.maxInFlight", 64)),
    partitionBy: keysBy as ResolvedEventsConfig["partitionBy"],
    graceMs: milliseconds(drain.graceMs, "natsEvents.drain.graceMs", 10_000),
  });
}

const isTime = (value: unknown): boolean => typeof value === "number" && value >= 0;

function resolveEvents(events: unknown): readonly string[] {
  const idOf = (event: unknown): unknown => (typeof event === "string" ? event : Object(event).id);
  const ids: unknown[] = Array.isArray(events) ? events.map(idOf) : [];
  if (ids.length > 0 && ids.every((id) => typeof id === "string")) return [...new Set(ids)];
  throw invalid("natsEvents.events", "a list of events or their ids", events);
}
