import type { DependencyMap } from "../../../lib/injectable";
import type { Store } from "../../../runtime/run/store";
import type { SerializerLike } from "../../../serializer/codec";
import { withFrameworkErrors } from "../../../errors/knownErrors";
import { createCallCodec } from "../../../tunnels/client/callCodec";
import type { CallCodecOptions, ClientAuth } from "../../../tunnels/client/codec";
import type { OriginOption } from "../../../lib/emissionPath";
import { remoteOptionsOf } from "../../../tunnels/routing/remoteOptions";
import type { EmissionTaker } from "../../../tunnels/routing/routeEvents";
import type { RemoteCallOptions } from "../../../tunnels/routing/tags";
import type { TransportLayer } from "../../../tunnels/client/carrier";
import { createTunnelClient } from "../../../tunnels/client/createTunnelClient";
import type { RemoteClient } from "../../../tunnels/client/remoteClient";
import { resolveContexts, type ContextSelection } from "../../../tunnels/routing/contextSelection";
import { deadline } from "../../../tunnels/transports/layers/deadline";
import { sendEmissionPath } from "../../../tunnels/transports/layers/emissionPath";
import { locatedFailures } from "../../../tunnels/transports/layers/locatedFailures";
import { progress } from "../../../tunnels/transports/layers/progress";
import { propagate } from "../../../tunnels/transports/layers/propagate";
import { traceCalls } from "../../../tunnels/transports/layers/traceCalls";
import { amount, fieldsOf, invalid, milliseconds } from "../../../lib/configFields";
import { linkOf, natsConnection, type NatsConnectionHandle } from "../natsConnection";
import { runParts } from "../runParts";
import { isName, namePatternText } from "../subjects";
import { TunnelError } from "../../../errors/tunnelError";
import { asPublisher, nameEmissions, type NatsEventDelivery } from "../events/eventPublisher";
import { repeatElsewhere } from "./repeatElsewhere";
import { resolveVersions, type NatsContract } from "./versions";
import { natsCarrier, type NatsCarrierOptions } from "./natsCarrier";
import { requestTimedOut } from "../../../tunnels/protocol/requestTimedOut";

/** Configures `natsClient`. */
export interface NatsClientConfig {
  /** The first part of all subjects: applications that share a broker have one each. */
  readonly namespace: string;
  readonly auth?: ClientAuth | undefined;
  /**
   * How events leave: `"durable"`, a stream of the broker keeps them, and the hooks of each service that reads it run at least
   * once; `"fanout"`, at most once, to processes that listen at this moment. Default: to servers of the namespace, which answer once the
   * hooks are done.
   */
  readonly events?: NatsEventDelivery | undefined;
  /**
   * Which version of each task is called, by the hash of its contract: a lock, as `runner contract pull` writes it, or what a discovery
   * says under `contract`. Tasks that are not in it are called in any version. Default: all of them.
   */
  readonly contract?: NatsContract | undefined;
  /** From the call to its reply, in ms. 0 or absent: no limit. */
  readonly timeoutMs?: number | undefined;
  /** How long calls wait for a broker that is away, in ms; then they fail with `BROKER_OFFLINE`. Default 1,000. */
  readonly offlineMs?: number | undefined;
  /** Which of the async contexts that are active travel with a call. Default "all". */
  readonly contexts?: ContextSelection | undefined;
  /** Largest reply, decompressed, in bytes. Default 32 MiB. */
  readonly maxReplyBytes?: number | undefined;
}

const keys: readonly (keyof NatsClientConfig)[] = [
  "namespace",
  "auth",
  "events",
  "contract",
  "timeoutMs",
  "offlineMs",
  "contexts",
  "maxReplyBytes",
];

/** Makes the client of a tunnel; the tunnel gets what it depends on beside its own dependencies. */
export interface NatsConnector {
  (config: void, dependencies: object): RemoteClient;
  readonly dependencies: DependencyMap;
}

/** Keys begin so, since they are among those of the tunnel. */
const keyOf = (name: string): string => `runner.nats.${name}`;

/**
 * Calls over NATS, for `r.tunnel.client(...).connect(natsClient({ namespace }))`. The run needs `natsConnection`.
 *
 * @throws {TypeError} the config cannot be meant
 * @see readmes/NATS.md
 */
export function natsClient(config: NatsClientConfig): NatsConnector {
  const resolved = resolveClientConfig(config);
  const { connection, store, serializer } = { connection: natsConnection, ...runParts() };
  const connect = (_config: void, given: object): RemoteClient => {
    const of = <T>(name: string): T => (given as Readonly<Record<string, T>>)[keyOf(name)] as T;
    const run = of<Store>("store");
    return createNatsClient({
      ...resolved,
      link: linkOf(of<NatsConnectionHandle>("connection")),
      serializer: of<SerializerLike>("serializer"),
      contexts: resolveContexts(config.contexts, run.asyncContexts),
      errorRegistry: run.errors,
      around: run.tracing && [traceCalls(run.tracing.calls, `nats://${resolved.namespace}`)],
    });
  };
  return Object.assign(connect, {
    dependencies: {
      [keyOf("connection")]: connection,
      [keyOf("store")]: store,
      [keyOf("serializer")]: serializer,
    },
  });
}

export interface NatsClientParts
  extends NatsCarrierOptions, Pick<CallCodecOptions, "auth" | "serializer" | "contexts" | "errorRegistry"> {
  /** Outermost. Default: nothing. */
  readonly around?: readonly TransportLayer[] | undefined;
}

/** Makes a client over a connection. */
export function createNatsClient(parts: NatsClientParts): RemoteClient {
  const baseUrl = addressOf(parts.namespace);
  const client = createTunnelClient({
    ...parts,
    errorRegistry: withFrameworkErrors(parts.errorRegistry ?? new Map()),
    baseUrl,
    carrier: natsCarrier(parts),
    codec: createCallCodec,
    layers: [
      ...(parts.around ?? []),
      progress,
      deadline({ baseUrl, timeoutMs: parts.timeoutMs, timeoutError: requestTimedOut }),
      ...(parts.delivery === "durable" ? [nameEmissions] : []),
      repeatElsewhere,
      propagate({ deadline: true, trace: true }),
      locatedFailures(baseUrl),
      ...(parts.delivery === "durable" ? [] : [sendEmissionPath]),
    ],
  });
  const ofEmission: EmissionTaker["ofEmission"] = ({ id, data }, scope, origin) => {
    const options: RemoteCallOptions & OriginOption = { ...(scope && remoteOptionsOf(scope)), origin };
    return client.event(id, data, options);
  };
  Object.assign(client.event, { ofEmission });
  if (parts.delivery === undefined) return client;
  const publisher = { ...client, eventWithResult: async () => Promise.reject(noResult()) };
  return asPublisher(publisher, parts.namespace);
}

/** The hooks of such an event run when its emitter has long gone on. */
const noResult = (): TunnelError =>
  new TunnelError(
    "EVENT_RESULT_UNSUPPORTED",
    'An event that leaves by "durable" or "fanout" brings no payload back. Make a natsClient without "events" for it.',
  );

/** What errors and traces name. */
const addressOf = (namespace: string): string => `nats:${namespace}`;

function resolveClientConfig(config: unknown) {
  const stated = fieldsOf<NatsClientConfig>(config, "natsClient", keys);
  const { namespace } = stated;
  if (!isName(namespace)) throw invalid("natsClient.namespace", namePatternText, namespace);
  const auth = fieldsOf<ClientAuth>(stated.auth, "natsClient.auth", ["token", "header"]);
  if (stated.auth !== undefined && typeof auth.token !== "string") {
    throw new TypeError("natsClient.auth.token must be a string.");
  }
  return {
    namespace,
    delivery: resolveDelivery(stated.events),
    versions: resolveVersions(stated.contract),
    auth: stated.auth as ClientAuth | undefined,
    timeoutMs: milliseconds(stated.timeoutMs, "natsClient.timeoutMs", 0),
    offlineMs: milliseconds(stated.offlineMs, "natsClient.offlineMs", 1000),
    maxReplyBytes:
      stated.maxReplyBytes === undefined ? undefined : amount(stated.maxReplyBytes, "natsClient.maxReplyBytes", 0),
  };
}

function resolveDelivery(events: unknown): NatsEventDelivery | undefined {
  if (events === undefined || events === "durable" || events === "fanout") return events;
  throw invalid("natsClient.events", '"durable" or "fanout"', events);
}
