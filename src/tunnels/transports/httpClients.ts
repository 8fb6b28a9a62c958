import type { CallCodecOptions, ClientAuth, MakeCallCodec } from "../client/codec";
import { locatedFailures } from "./layers/locatedFailures";
import type { Abilities, Carrier, TransportLayer } from "../client/carrier";
import { createTunnelClient, type TunnelClientOptions } from "../client/createTunnelClient";
import { withNames, type ClientNames } from "../client/namedCalls";
import type { RemoteClient } from "../client/remoteClient";
import type { ClientOf, NamedTargets } from "../client/typedClient";
import { lazyCodec } from "../client/lazyCodec";
import type { BatchingConfig } from "./batch/batchConfig";
import { lazyBatching } from "./batch/lazyBatching";
import { reachableAddress, readBaseUrl, type BaseUrl } from "./baseUrl";
import { webCarrier } from "./carriers";
import { fetchCarrier } from "./fetchCarrier";
import { deadline, type DeadlineOptions } from "./layers/deadline";
import { lateTracing } from "./layers/lateTracing";
import { progress } from "./layers/progress";
import { propagate, type Propagation } from "./layers/propagate";
import { requestHooks, type RequestHooksOptions } from "./layers/requestHooks";

/** What every HTTP client is configured with. */
export interface HttpCallerConfig
  extends
    Pick<CallCodecOptions, "serializer" | "auth" | "contexts" | "errorRegistry">,
    Pick<RequestHooksOptions, "onRequest">,
    Pick<DeadlineOptions, "timeoutMs">,
    Pick<TunnelClientOptions, "silenceMs"> {
  /** Largest reply that is read into one text, decompressed, in bytes. Default 32 MiB. */
  readonly maxReplyBytes?: number | undefined;
  /** @internal What is around all that the client does with a call to an address. */
  readonly around?: ((baseUrl: string) => readonly TransportLayer[]) | undefined;
  /** Where the exposure is mounted, as "https://api.example.com/__runner"; in browsers it may be relative. */
  readonly baseUrl: string;
}

/** A secret that goes along with every call. */
export interface HttpClientAuth extends ClientAuth {}

/** Configures `createHttpClient`. */
export interface HttpClientConfig extends HttpCallerConfig, BatchingConfig {
  /** What of the caller's scope the server is told. Default: nothing, since a page may not send every header. */
  readonly propagate?: Propagation | undefined;
  readonly auth?: HttpClientAuth | undefined;
  /** Takes the place of the global `fetch`, in tests for example. */
  readonly fetchImpl?: typeof fetch | undefined;
}

/** A client for code that runs anywhere: JSON, and uploads of blobs. */
export interface HttpClient extends RemoteClient {}

/** A secret that goes along with every call. */
export interface ExposureFetchAuthConfig extends ClientAuth {}

/** Configures `createExposureFetch`. */
export interface ExposureFetchConfig extends HttpCallerConfig {
  /** What of the caller's scope the server is told. Default: nothing, since a page may not send every header. */
  readonly propagate?: Propagation | undefined;
  readonly auth?: ExposureFetchAuthConfig | undefined;
  /** Takes the place of the global `fetch`, in tests for example. */
  readonly fetchImpl?: typeof fetch | undefined;
}

/** The smallest client: JSON only. */
export interface ExposureFetchClient extends RemoteClient {}

/** Configures `globals.tunnels.http.createClient`. */
export interface ExposureClientConfig extends Omit<ExposureFetchConfig, "baseUrl"> {
  /** Where the exposure is mounted. */
  readonly url: string;
}

/**
 * Makes the smallest client: JSON over fetch.
 *
 * @throws {Error} no `baseUrl`, or no fetch
 * @see readmes/tunnels/call.md
 */
export const createExposureFetch = (config: ExposureFetchConfig): ExposureFetchClient =>
  createJsonClient(config, readBaseUrl(config, "createExposureFetch"));

/**
 * Makes the smallest client: JSON over fetch. As `createExposureFetch`, with `url` for `baseUrl`.
 *
 * @throws {Error} no `url`, or no fetch
 */
export const createExposureClient = (config: ExposureClientConfig): ExposureFetchClient =>
  createJsonClient(config, readBaseUrl({ baseUrl: config?.url }, "createExposureFetch", "url"));

function createJsonClient(config: Omit<ExposureFetchConfig, "baseUrl">, address: BaseUrl): ExposureFetchClient {
  const carrier = fetchCarrier({ ...config, baseUrl: address.text }, jsonOnly);
  const layers = webLayers(config, address);
  return createTunnelClient({ ...config, baseUrl: address.text, carrier, codec: lazyCodec, layers });
}

/**
 * Makes a client for code that runs anywhere: JSON and uploads of blobs over fetch. Calls that want to know
 * their progress go through XMLHttpRequest where there is one.
 *
 * By the type of a server's module it knows what that exports:
 * `createHttpClient<typeof Billing>({ baseUrl, tasks: { charge: "billing.tasks.charge" } })`.
 *
 * @throws {Error} no `baseUrl`, or no fetch
 * @see readmes/tunnels/call.md
 */
export const createHttpClient = <M = unknown>(config: HttpClientConfig & NamedTargets<M>): ClientOf<HttpClient, M> =>
  createUniversalClient(config, (web) => web) as ClientOf<HttpClient, M>;

/**
 * `createHttpClient`, over the carrier of a platform.
 *
 * @param over gets the carrier of the web, and the address that calls are sent to
 */
export function createUniversalClient(
  config: HttpClientConfig & ClientNames,
  over: (web: Carrier, baseUrl: string) => Carrier,
  codec: MakeCallCodec = lazyCodec,
): HttpClient {
  const address = readBaseUrl(config, "createHttpClient");
  const carrier = over(webCarrier({ ...config, baseUrl: address.text }, blobsOnly), address.text);
  const layers = [...webLayers(config, address), lazyBatching(config)];
  return withNames(createTunnelClient({ ...config, baseUrl: address.text, carrier, codec, layers }), config);
}

const nothing: Propagation = {};

/** What every HTTP client does around its carrier. The time limit includes the hook. */
export function httpLayers(options: HttpLayerOptions): readonly TransportLayer[] {
  const { address, canBeRelative = () => false } = options;
  const named = { ...options, baseUrl: address.text };
  return [
    ...(options.around?.(address.text) ?? lateTracing(address.text)),
    reachableAddress(address, canBeRelative),
    progress,
    deadline(named),
    propagate(options.propagate ?? nothing),
    requestHooks(named),
    locatedFailures(address.text, options.isCallersError),
  ];
}

export interface HttpLayerOptions extends Omit<DeadlineOptions & RequestHooksOptions, "baseUrl"> {
  readonly address: BaseUrl;
  /** Whether an error is the caller's own, and no failure of the sending. Default: never. */
  readonly isCallersError?: ((error: unknown) => boolean) | undefined;
  /** Outermost. Default: what publishes calls, where that is there. */
  readonly around?: ((baseUrl: string) => readonly TransportLayer[]) | undefined;
  /** Default: nothing. */
  readonly propagate?: Propagation | undefined;
  /** Default: never. */
  readonly canBeRelative?: (() => boolean) | undefined;
}

/** A page, or what stands in for fetch, knows what a relative address is relative to. */
const webLayers = (config: Omit<HttpClientConfig, "baseUrl">, address: BaseUrl): readonly TransportLayer[] =>
  httpLayers({
    ...config,
    address,
    canBeRelative: () => config.fetchImpl !== undefined || globalThis.location !== undefined,
  });

const blobsOnly: Abilities = {
  // A fetch, or what stands in for it, may ignore its signal.
  abort: false,
  streams: "blobs, no streams",
  files: true,
  items: "unless in a page",
  nodeFiles: "blobs, no files of Node",
};

const jsonOnly: Abilities = { abort: false, streams: "JSON only", files: "JSON only", nodeFiles: "JSON only" };
