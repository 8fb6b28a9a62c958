import type { Readable } from "node:stream";
import { frameworkResource } from "../../globals/frameworkResource";
import { createClientFactory, httpClientFactory, type FactoryConfig } from "../../globals/resources/httpClientFactory";
import type { MaybePromise } from "../../lib/typeLevel";
import type { PresetScope } from "../../runtime/run/presets";
import type { ClientAuth } from "../../tunnels/client/callCodec";
import type { CallInput } from "../../tunnels/client/callInput";
import {
  createTunnelClient,
  type ClientCallOptions,
  type RemoteClient,
  type TakenStreams,
  type TaskCall,
} from "../../tunnels/client/createTunnelClient";
import type { HttpErrorDetails } from "../../tunnels/client/readEnvelope";
import type { Transport } from "../../tunnels/protocol/wire";
import { fetchTransport, type FetchTransportConfig } from "../../tunnels/transports/fetchTransport";
import {
  createUniversalClient,
  type HttpCallerConfig,
  type HttpClient,
  type HttpClientConfig,
} from "../../tunnels/transports/httpClients";
import { readBaseUrl, withHttpOptions } from "../../tunnels/transports/httpOptions";
import { mixedTransport } from "../../tunnels/transports/mixedTransport";
import type { Carrier } from "./carrier";
import type { ClientCompression } from "./clientCompression";
import { newFormContentType } from "./multipartStream";
import { nodeHttpTransport, requestTimedOut } from "./nodeHttpTransport";
import { poolTransport } from "./poolTransport";
import { NodeTakenStreams } from "./takenStreams";

/** A secret that goes along with every call. */
export interface HttpSmartClientAuthConfig extends ClientAuth {}

/** Configures `createHttpSmartClient`. */
export interface HttpSmartClientConfig extends HttpCallerConfig {
  readonly auth?: HttpSmartClientAuthConfig | undefined;
  readonly compression?: ClientCompression | undefined;
}

/** A client for Node: JSON, uploads from streams, and bytes in both directions. */
export interface HttpSmartClient extends RemoteClient {
  /**
   * Sends a stream that is the whole input; the reply is a stream, unless the far side answers with JSON. Say so by
   * the type arguments then.
   */
  task(id: string, input: Readable | ReadableStream<Uint8Array>, options?: ClientCallOptions): Promise<Readable>;
  /**
   * Runs a task there. Its result is a `Readable` if the far side answers with a stream.
   *
   * @throws {TunnelError} (as a rejection) the far side refused or failed the call, or its answer made no sense
   */
  task<I, O>(id: string, input?: I, options?: ClientCallOptions): Promise<O>;
}

/** A secret that goes along with every call. */
export interface MixedHttpClientAuthConfig extends ClientAuth {}

/** Configures `createHttpMixedClient`. */
export interface MixedHttpClientConfig extends HttpSmartClientConfig {
  readonly auth?: MixedHttpClientAuthConfig | undefined;
  /** Carries the JSON calls instead of the pool. */
  readonly fetchImpl?: typeof fetch | undefined;
  /**
   * Which tasks may answer with a stream although their input is plain: those are called the way the Smart client
   * does. Streams and files always are. Default: none.
   */
  readonly forceSmart?: boolean | ((call: TaskCall) => MaybePromise<boolean>) | undefined;
  /** Most connections for JSON calls; further calls wait for one. Default 128. */
  readonly maxConnections?: number | undefined;
}

/** The client to take in Node: JSON over a pool, streams and files as the Smart client. */
export interface MixedHttpClient extends HttpSmartClient {}

/**
 * Makes a client for Node that sends and receives streams.
 *
 * @throws {Error} no `baseUrl`
 * @see readmes/tunnels/call.md
 */
export function createHttpSmartClient(config: HttpSmartClientConfig): HttpSmartClient {
  const baseUrl = readBaseUrl(config, "createHttpSmartClient");
  const smart = nodeHttpTransport({ ...config, baseUrl });
  return createTunnelClient({
    ...config,
    transport: smartCalls(smart, config, baseUrl),
    close: smart.close,
    formContentType: newFormContentType,
    takeStreams,
    // The carriers end what they carry by themselves.
    mayHang: config.onRequest !== undefined,
    describeHttpError: withStatusMessage,
  });
}

/**
 * Makes the client to take in Node: JSON calls over a keep-alive pool, streams and files as `createHttpSmartClient`.
 *
 * @throws {Error} no `baseUrl`
 * @see readmes/tunnels/call.md
 */
export function createHttpMixedClient(config: MixedHttpClientConfig): MixedHttpClient {
  const baseUrl = readBaseUrl(config, "createMixedHttpClient");
  const { fetchImpl, forceSmart } = config;
  const smart = nodeHttpTransport({ ...config, baseUrl });
  const json = fetchImpl ? fetchCarrier({ ...config, baseUrl }) : poolTransport({ ...config, baseUrl });
  const rest = smartCalls(smart, config, baseUrl);
  const transport = mixedTransport({ text: withHttpOptions(json.send, { ...config, baseUrl }), rest });
  return createTunnelClient({
    ...config,
    transport,
    transportFor: forceSmart ? async (call) => ((await isForced(forceSmart, call)) ? rest : transport) : undefined,
    close: async (options) => void (await Promise.all([json.close(options), smart.close(options)])),
    formContentType: newFormContentType,
    takeStreams,
    mayHang: config.onRequest !== undefined || fetchImpl !== undefined,
  });
}

/**
 * The name of `createHttpMixedClient` in older guides.
 *
 * @alias
 */
export const createMixedHttpClient = createHttpMixedClient;

/** This client lists the reason phrase under the name it has in Node; the usual name leads to it, too. */
const withStatusMessage = ({ statusText, ...details }: HttpErrorDetails): object =>
  Object.defineProperty({ ...details, statusMessage: statusText }, "statusText", { value: statusText });

/** Calls the way the Smart client makes them. Timeouts have an error of their own here, as they always had. */
const smartCalls = (smart: Carrier, config: HttpCallerConfig, baseUrl: string): Transport =>
  withHttpOptions(smart.send, { ...config, baseUrl, timeoutError: requestTimedOut });

const takeStreams = (input: CallInput): TakenStreams => new NodeTakenStreams(input);

const isForced = (
  forceSmart: NonNullable<MixedHttpClientConfig["forceSmart"]>,
  call: TaskCall,
): MaybePromise<boolean> => (typeof forceSmart === "function" ? forceSmart(call) : forceSmart);

const fetchCarrier = (config: FetchTransportConfig): Carrier => ({
  send: fetchTransport(config),
  close: async () => {},
});

/** Configures a client that the factory makes: serializer, async contexts and error helpers are the run's. */
export interface HttpSmartClientFactoryConfig extends FactoryConfig<HttpSmartClientConfig> {}

/** Makes clients that know what the application registers. They are closed when the run is disposed of. */
export type HttpSmartClientFactory = (config: HttpSmartClientFactoryConfig) => HttpSmartClient;

/** Configures a client that the factory makes: serializer, async contexts and error helpers are the run's. */
export interface MixedHttpClientFactoryConfig extends FactoryConfig<MixedHttpClientConfig> {}

/** Makes clients that know what the application registers. They are closed when the run is disposed of. */
export type MixedHttpClientFactory = (config: MixedHttpClientFactoryConfig) => MixedHttpClient;

/** Makes Smart clients that use the run's serializer, async contexts and error helpers. */
export const httpSmartClientFactory = /* @__PURE__ */ frameworkResource<HttpSmartClientFactory>(
  "globals.resources.httpSmartClientFactory",
  { value: (scope) => createClientFactory(scope, createHttpSmartClient) },
);

/** Makes Mixed clients that use the run's serializer, async contexts and error helpers. */
export const httpMixedClientFactory = /* @__PURE__ */ frameworkResource<MixedHttpClientFactory>(
  "globals.resources.httpMixedClientFactory",
  { value: (scope) => createClientFactory(scope, createHttpMixedClient) },
);

/** Under Node's `run` the universal factory has a pool, too. */
export const httpClientPresets: ReadonlyMap<string, (scope: PresetScope) => unknown> = /* @__PURE__ */ (() =>
  new Map([[httpClientFactory.id, (scope: PresetScope) => createClientFactory(scope, createPooledClient)]]))();

function createPooledClient(config: HttpClientConfig): HttpClient {
  if (config.fetchImpl) return createUniversalClient(config);
  const pool = poolTransport(config);
  const carryWith = (web: Transport): Transport => mixedTransport({ text: pool.send, rest: web });
  return createUniversalClient(config, { carryWith, close: pool.close });
}
