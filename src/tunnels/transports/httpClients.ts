import type { CallCodecOptions, ClientAuth, Refusals } from "../client/callCodec";
import { createTunnelClient, type RemoteClient, type TunnelClientOptions } from "../client/createTunnelClient";
import type { Transport } from "../protocol/wire";
import { fetchTransport } from "./fetchTransport";
import { readBaseUrl, withHttpOptions, type HttpOptions } from "./httpOptions";
import { wantsXhr, xhrTransport } from "./xhrTransport";

/** What every HTTP client is configured with. */
export interface HttpCallerConfig
  extends
    Pick<CallCodecOptions, "serializer" | "auth" | "contexts" | "errorRegistry">,
    Pick<HttpOptions, "onRequest" | "timeoutMs"> {
  /** Largest reply that is read into one text, decompressed, in bytes. Default 256 MiB. */
  readonly maxReplyBytes?: number | undefined;
  /** Where the exposure is mounted, as "https://api.example.com/__runner"; in browsers it may be relative. */
  readonly baseUrl: string;
}

/** A secret that goes along with every call. */
export interface HttpClientAuth extends ClientAuth {}

/** Configures `createHttpClient`. */
export interface HttpClientConfig extends HttpCallerConfig {
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
export function createExposureFetch(config: ExposureFetchConfig): ExposureFetchClient {
  const baseUrl = readBaseUrl(config, "createExposureFetch");
  const transport = withHttpOptions(fetchTransport({ ...config, baseUrl }), { ...config, baseUrl });
  return createTunnelClient({ ...config, transport, refuses: jsonOnly, mayHang: true });
}

/**
 * Makes the smallest client: JSON over fetch. As `createExposureFetch`, with `url` for `baseUrl`.
 *
 * @throws {Error} no `url`, or no fetch
 */
export const createExposureClient = (config: ExposureClientConfig): ExposureFetchClient =>
  createExposureFetch({ ...config, baseUrl: config?.url });

/**
 * Makes a client for code that runs anywhere: JSON and uploads of blobs over fetch. Calls that want to know
 * their progress go through XMLHttpRequest where there is one.
 *
 * @throws {Error} no `baseUrl`, or no fetch
 * @see readmes/tunnels/call.md
 */
export const createHttpClient = (config: HttpClientConfig): HttpClient => createUniversalClient(config);

/** What a platform has that is better than fetch. */
export interface PlatformCarrier {
  /** @param web what carries calls otherwise */
  readonly carryWith: (web: Transport) => Transport;
  readonly close: TunnelClientOptions["close"];
}

/** `createHttpClient`, with the carrier of the platform if it has one. */
export function createUniversalClient(config: HttpClientConfig, carrier?: PlatformCarrier): HttpClient {
  const baseUrl = readBaseUrl(config, "createHttpClient");
  const { fetchImpl } = config;
  const byFetch = fetchTransport({ ...config, baseUrl });
  const byXhr = xhrTransport({ ...config, baseUrl });
  const web: Transport = (request) =>
    fetchImpl === undefined && wantsXhr(request) ? byXhr(request) : byFetch(request);
  const transport = withHttpOptions(carrier?.carryWith(web) ?? web, { ...config, baseUrl });
  return createTunnelClient({ ...config, transport, close: carrier?.close, refuses: universalRefusals, mayHang: true });
}

const universalRefusals: Refusals = {
  streams:
    "createHttpClient (universal) cannot send a Node stream. Use @bluelibs/runner/node createHttpSmartClient or createHttpMixedClient for duplex/streaming.",
  nodeFiles:
    "createHttpClient (universal) detected Node file input. Use @bluelibs/runner/node createHttpSmartClient or createHttpMixedClient for Node streaming/multipart.",
};

const sendsJsonOnly =
  "createExposureFetch sends JSON only. Use createHttpClient for blobs, or createHttpSmartClient or createHttpMixedClient of @bluelibs/runner/node for streams and files.";
const jsonOnly: Refusals = { streams: sendsJsonOnly, files: sendsJsonOnly };
