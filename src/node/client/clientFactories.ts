import { Readable } from "node:stream";
import type { ItemsOption } from "../../define/itemInput";
import type { ExtractTaskOutput, ITask } from "../../define/task";
import { TunnelError } from "../../errors/tunnelError";
import { frameworkResource } from "../../globals/frameworkResource";
import { createClientFactory, httpClientFactory, type FactoryConfig } from "../../globals/resources/httpClientFactory";
import { tunnelClientFactoryId } from "../../globals/tunnels/tunnelParts";
import type { MaybePromise } from "../../lib/typeLevel";
import type { PresetScope } from "../../runtime/run/presets";
import { createCallCodec } from "../../tunnels/client/callCodec";
import type { ClientAuth } from "../../tunnels/client/codec";
import { withLayers, type Carrier, type TransportLayer } from "../../tunnels/client/carrier";
import type { ClientCallOptions, RemoteClient, TaskCallOf } from "../../tunnels/client/remoteClient";
import type { ClientOf, NamedTargets } from "../../tunnels/client/typedClient";
import type { HttpErrorDetails } from "../../tunnels/client/readEnvelope";
import type { OverEndpoints } from "../../tunnels/pool/poolConfig";
import { requestTimedOut } from "../../tunnels/protocol/requestTimedOut";
import type { ByteStream, Transport } from "../../tunnels/protocol/wire";
import { deliveryOf } from "../../tunnels/protocol/delivery";
import { batching } from "../../tunnels/transports/batch/batching";
import type { BatchingConfig } from "../../tunnels/transports/batch/batchConfig";
import type { BatchingClientConfig } from "../../tunnels/transports/batch/batchParts";
import type { BaseUrl } from "../../tunnels/transports/baseUrl";
import { carrierByBody } from "../../tunnels/transports/carriers";
import { sendEmissionPath } from "../../tunnels/transports/layers/emissionPath";
import type { Propagation } from "../../tunnels/transports/layers/propagate";
import {
  createUniversalClient,
  httpLayers,
  type HttpCallerConfig,
  type HttpClient,
  type HttpClientConfig,
} from "../../tunnels/transports/httpClients";
import type { ClientCompression } from "./clientCompression";
import { isSourceError } from "./claimedStreams";
import { nodeErrors } from "./connectionErrors";
import { nodeFetchCarrier } from "./nodeFetch";
import { statedBoundary } from "./multipartStream";
import { nodeHttpCarrier } from "./nodeHttpCarrier";
import { clientOver, type EndpointList } from "./clientOver";
import { poolCarrier } from "./poolCarrier";

/** A secret that goes along with every call. */
export interface HttpSmartClientAuthConfig extends ClientAuth {}

/** Configures `createHttpSmartClient`. */
export interface HttpSmartClientConfig extends HttpCallerConfig {
  readonly auth?: HttpSmartClientAuthConfig | undefined;
  /**
   * Most connections for plain calls, and as many for calls that send files or streams; further calls wait for one. A
   * streamed reply holds its connection until it was read. Default 128.
   */
  readonly maxConnections?: number | undefined;
  readonly compression?: ClientCompression | undefined;
}

/** A client for Node: JSON, uploads from streams, and bytes in both directions. */
export interface HttpSmartClient extends RemoteClient, EndpointList {
  /**
   * Sends a stream that is the whole input; the reply is a stream, unless the server replies with JSON. Say so by
   * the type arguments then.
   */
  task(id: string, input: Readable | ReadableStream<Uint8Array>, options?: ClientCallOptions): Promise<Readable>;
  /**
   * Runs a remote task. Its result is a `Readable` if the server replies with a stream.
   *
   * @throws {TunnelError} (as a rejection) the server refused or failed the call, or its reply was no envelope
   */
  task<I, O>(id: string, input?: I, options?: ClientCallOptions & Partial<ItemsOption<unknown>>): Promise<O>;
  /** Runs the task of a definition, with its types of input and result. */
  task<T extends ITask<any, any>>(task: T, ...call: TaskCallOf<T>): Promise<Awaited<ExtractTaskOutput<T>>>;
}

/** A secret that goes along with every call. */
export interface MixedHttpClientAuthConfig extends ClientAuth {}

/** A task call, as the configuration of a client may look at it. */
export interface TaskCall {
  readonly id: string;
  readonly input: unknown;
}

/** Configures `createHttpMixedClient`. */
export interface MixedHttpClientConfig extends HttpSmartClientConfig, BatchingConfig {
  readonly auth?: MixedHttpClientAuthConfig | undefined;
  /** Carries the JSON calls instead of the pool. */
  readonly fetchImpl?: typeof fetch | undefined;
  /**
   * Which tasks may reply with a stream although their input is plain: those are called the way the Smart client
   * does. Streams and files always are. Default: none.
   */
  readonly forceSmart?: boolean | ((call: TaskCall) => MaybePromise<boolean>) | undefined;
}

/** The client to take in Node: JSON over a pool, streams and files as the Smart client. */
export interface MixedHttpClient extends HttpSmartClient {}

/**
 * Makes a client for Node that sends and receives streams.
 *
 * @throws {Error} no `baseUrl`
 * @see readmes/tunnels/call.md
 */
export function createHttpSmartClient<M = unknown>(
  config: (HttpSmartClientConfig | OverEndpoints<HttpSmartClientConfig>) & NamedTargets<M>,
): ClientOf<HttpSmartClient, M> {
  return clientOver(config, "createHttpSmartClient", (located: HttpSmartClientConfig, address) => {
    const carrier = smartCarrier(poolCarrier(located), located);
    return {
      ...carrier,
      send: withLayers(carrier.send, smartLayers(located, address)),
      describeHttpError,
      // A hook may hang, and no carrier can end that.
      accepts: { ...carrier.accepts, abort: config.onRequest === undefined },
    };
  }) as ClientOf<HttpSmartClient, M>;
}

/**
 * Makes the client to take in Node: JSON calls over a keep-alive pool, streams and files as `createHttpSmartClient`.
 *
 * @throws {Error} no `baseUrl`
 * @see readmes/tunnels/call.md
 */
export function createHttpMixedClient<M = unknown>(
  config: (MixedHttpClientConfig | OverEndpoints<MixedHttpClientConfig>) & NamedTargets<M>,
): ClientOf<MixedHttpClient, M> {
  return clientOver(config, "createHttpMixedClient", mixedCarrier) as ClientOf<MixedHttpClient, M>;
}

function mixedCarrier(located: MixedHttpClientConfig, address: BaseUrl): Carrier {
  const { fetchImpl, forceSmart, onRequest } = located;
  const pool = poolCarrier(located);
  const smart = smartCarrier(pool, located);
  const sendSmart = withLayers(smart.send, smartLayers(located, address));
  const json = fetchImpl ? nodeFetchCarrier(located, smart.accepts) : pool;
  const sendJson = withLayers(json.send, [
    ...httpLayers({ ...located, address, propagate: everything }),
    sendEmissionPath,
    ...batchLayers(located),
  ]);
  const send: Transport = (request) => (request.body.kind === "text" ? sendJson : sendSmart)(request);
  return {
    ...carrierByBody(json, smart),
    send: forceSmart ? forcing(forceSmart, sendSmart)(send) : send,
    // A hook, a predicate and a fetch may hang, and no carrier can end that.
    accepts: {
      ...smart.accepts,
      abort: onRequest === undefined && fetchImpl === undefined && typeof forceSmart !== "function",
    },
  };
}

/**
 * The name of `createHttpMixedClient` in older guides.
 *
 * @alias
 */
export const createMixedHttpClient = createHttpMixedClient;

/** No preflight limits what programs send. */
const everything: Propagation = { deadline: true, trace: true };

/** Text over the pool, files and streams over node:http, with the errors of node:http. */
const smartCarrier = (pool: Carrier, config: HttpSmartClientConfig): Carrier =>
  carrierByBody({ ...pool, send: nodeErrors(pool.send) }, nodeHttpCarrier(config));

/** This client lists the reason phrase under the name it has in Node; the usual name leads to it, too. */
const describeHttpError = ({ statusText, ...details }: HttpErrorDetails): object =>
  Object.defineProperty({ ...details, statusMessage: statusText }, "statusText", { value: statusText });

/** Around the calls of the Smart client. Timeouts have an error of their own here, as they always had. */
const smartLayers = (config: HttpCallerConfig, address: BaseUrl): readonly TransportLayer[] => [
  statedBoundary,
  ...httpLayers({
    ...config,
    address,
    propagate: everything,
    timeoutError: requestTimedOut,
    isCallersError: isSourceError,
  }),
  sendEmissionPath,
];

/** Sends the calls of some tasks the Smart way although their input is text. */
const forcing =
  (forceSmart: NonNullable<MixedHttpClientConfig["forceSmart"]>, sendSmart: Transport): TransportLayer =>
  (next) =>
  async (request) => {
    const { target, body, input } = request;
    if (target.kind !== "task" || body.kind !== "text") return next(request);
    const isForced = typeof forceSmart === "function" ? await forceSmart({ id: target.id, input }) : forceSmart;
    return (isForced ? sendSmart : next)(request);
  };

/** Configures a client that the factory makes: serializer, async contexts and error helpers are the run's. */
export interface HttpSmartClientFactoryConfig extends FactoryConfig<HttpSmartClientConfig> {}

/** Makes clients that know what the application registers. They are closed when the run is disposed of. */
export type HttpSmartClientFactory = (
  config: HttpSmartClientFactoryConfig | OverEndpoints<HttpSmartClientFactoryConfig>,
) => HttpSmartClient;

/** Configures a client that the factory makes: serializer, async contexts and error helpers are the run's. */
export interface MixedHttpClientFactoryConfig extends FactoryConfig<MixedHttpClientConfig> {}

/** Makes clients that know what the application registers. They are closed when the run is disposed of. */
export type MixedHttpClientFactory = (
  config: MixedHttpClientFactoryConfig | OverEndpoints<MixedHttpClientFactoryConfig>,
) => MixedHttpClient;

/** Makes Smart clients that use the run's serializer, async contexts and error helpers. */
export const httpSmartClientFactory = /* @__PURE__ */ frameworkResource<HttpSmartClientFactory>(
  "globals.resources.httpSmartClientFactory",
  {
    value: (scope) =>
      createClientFactory<HttpSmartClientConfig, HttpSmartClient>(
        scope,
        createHttpSmartClient,
      ) as HttpSmartClientFactory,
    system: false,
  },
);

/** Of several endpoints as well: what is made of the run is the same. */
const createMixedFactory = (scope: PresetScope): MixedHttpClientFactory =>
  createClientFactory<MixedHttpClientConfig, MixedHttpClient>(scope, createHttpMixedClient) as MixedHttpClientFactory;

/** Makes Mixed clients that use the run's serializer, async contexts and error helpers. */
export const httpMixedClientFactory = /* @__PURE__ */ frameworkResource<MixedHttpClientFactory>(
  "globals.resources.httpMixedClientFactory",
  { value: createMixedFactory, system: false },
);

/** Under Node's `run` the universal factory has a pool, too. */
export const httpClientPresets: ReadonlyMap<string, (scope: PresetScope) => unknown> = /* @__PURE__ */ (() =>
  new Map<string, (scope: PresetScope) => unknown>([
    [httpClientFactory.id, (scope: PresetScope) => createClientFactory(scope, createPooledClient)],
    // Tunnels have files and streams here.
    [tunnelClientFactoryId, createMixedFactory],
  ]))();

const createPooledClient = ({ batch, ...config }: HttpClientConfig): HttpClient =>
  createUniversalClient(
    { propagate: everything, ...config },
    (web, baseUrl) => {
      const carrier = config.fetchImpl ? web : carrierByBody(withWebStreams(poolCarrier({ ...config, baseUrl })), web);
      return { ...carrier, send: withLayers(carrier.send, [sendEmissionPath, ...batchLayers({ ...config, batch })]) };
    },
    createCallCodec,
  );

/** Batches calls where that is asked for. */
const batchLayers = (config: BatchingClientConfig): readonly TransportLayer[] =>
  config.batch ? [batching(config, TunnelError, isLost)] : [];

const isLost = (error: unknown): boolean => deliveryOf(error) === "unknown";

/** Streamed replies are web streams, as this client has them wherever it runs. */
const withWebStreams = (carrier: Carrier): Carrier => ({
  ...carrier,
  async send(request) {
    const response = await carrier.send(request);
    const { body } = response;
    if (body.kind !== "stream") return response;
    const stream = Readable.toWeb(body.stream as Readable) as unknown as ByteStream;
    return { ...response, body: { ...body, stream } };
  },
});
