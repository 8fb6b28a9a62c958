import { withFrameworkErrors } from "../../errors/knownErrors";
import { InFlight } from "../../lib/inFlight";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { TracePoint } from "../../platform/tracePoint";
import { createCallCodec } from "../../tunnels/client/callCodec";
import type { Carrier } from "../../tunnels/client/carrier";
import { createTunnelClient } from "../../tunnels/client/createTunnelClient";
import { withNames, type ClientNames } from "../../tunnels/client/namedCalls";
import type { ClientCallOptions, RemoteClient } from "../../tunnels/client/remoteClient";
import { createEndpointPool } from "../../tunnels/pool/endpointPool";
import type { EndpointInfo } from "../../tunnels/pool/endpointStates";
import { readEndpoints, type OverEndpoints } from "../../tunnels/pool/poolConfig";
import { deliveryOf } from "../../tunnels/protocol/delivery";
import { tellDelivery } from "../../tunnels/protocol/safeRepeat";
import type { EndpointDiscovery } from "../../tunnels/routing/tags";
import { parseBaseUrl, readBaseUrl, type BaseUrl } from "../../tunnels/transports/baseUrl";
import type { HttpCallerConfig } from "../../tunnels/transports/httpClients";
import { traceCalls } from "../../tunnels/transports/layers/traceCalls";
import { checkClientConfig } from "./checkClientConfig";
import { probeEndpoint } from "./probeEndpoint";

/** Where a client of Node sends its calls. */
export interface EndpointList {
  /** How its endpoints are now, in the order in which they were configured; with one `baseUrl`, that. */
  endpoints(): readonly EndpointInfo[];
  /**
   * Asks each endpoint what may be called there, however it is now, over connections of its own: in a rolling deployment they may
   * differ. Never rejects.
   */
  discoverEach(options?: Pick<ClientCallOptions, "signal" | "timeoutMs">): Promise<readonly EndpointDiscovery[]>;
}

/** Makes what sends calls to one address, with all that is around it. */
type MakeCarrier<Config> = (located: Config, address: BaseUrl) => Carrier;

/**
 * Makes a client of one address, or of several.
 *
 * @param owner names the function in errors
 * @throws {Error} there is no address, or {TypeError} a field makes no sense or is not known
 */
export function clientOver<Config extends HttpCallerConfig>(
  config: (Config | OverEndpoints<Config>) & ClientNames,
  owner: string,
  make: MakeCarrier<Config>,
): RemoteClient & EndpointList {
  checkClientConfig(config, owner);
  const isPooled = config !== undefined && ("endpoints" in config || "resolve" in config);
  if (isPooled) return pooledClient(config as OverEndpoints<Config> & ClientNames, owner, make);
  const single = config;
  const address = readBaseUrl(single, owner);
  const located = locatedAt(single, address);
  const inFlight = new InFlight();
  const carrier = make(located, address);
  const client = withNames(createTunnelClient({ ...located, inFlight, codec: createCallCodec, carrier }), config);
  const endpoints = () => [{ url: address.text, state: "up" as const, inFlight: inFlight.count, failures: 0 }];
  const discoverEach: EndpointList["discoverEach"] = async (options) => [
    await settledDiscovery(address.text, client, options),
  ];
  return Object.assign(client, { endpoints, discoverEach });
}

function pooledClient<Config extends HttpCallerConfig>(
  config: OverEndpoints<Config> & ClientNames,
  owner: string,
  make: MakeCarrier<Config>,
): RemoteClient & EndpointList {
  const connect = (url: string): Carrier => {
    const address = parseBaseUrl(url);
    return make(locatedAt(config as unknown as Config, address), address);
  };
  const pool = createEndpointPool(readEndpoints(config, owner, readAbsolute), {
    connect,
    probe: probeEndpoint,
    timeoutMs: config.timeoutMs,
    readUrl: readAbsolute,
    warn: config.onWarning ?? warn,
  });
  // Opens nothing until it sends, which it never does: it says what all of its kind can send.
  const ofKind = connect("http://endpoint.invalid");
  const made = createTunnelClient({
    ...locatedAt(config as unknown as Config & ClientNames, parseBaseUrl("")),
    baseUrl: undefined,
    codec: createCallCodec,
    carrier: { ...ofKind, send: pool.send, close: pool.close },
    onFailure: (error) => void tellDelivery(error, deliveryOf(error)),
  });
  const client = withNames(made, config);
  const discoverEach: EndpointList["discoverEach"] = async (options) => {
    // Where they are resolved, the first call does it.
    if (pool.endpoints().length === 0) await settledDiscovery("", client, options);
    const asked = pool.endpoints().map(async ({ url }) => {
      const address = parseBaseUrl(url);
      const located = locatedAt(config as unknown as Config & ClientNames, address);
      const one = createTunnelClient({ ...located, codec: createCallCodec, carrier: connect(url) });
      const answer = await settledDiscovery(url, one, options);
      await one.close();
      return answer;
    });
    return Promise.all(asked);
  };
  return Object.assign(client, { endpoints: pool.endpoints, discoverEach });
}

async function settledDiscovery(
  url: string,
  client: Pick<RemoteClient, "discover">,
  options: Pick<ClientCallOptions, "signal" | "timeoutMs"> = {},
): Promise<EndpointDiscovery> {
  try {
    // Something that is no signal fails here, before there is a call whose failure nothing would handle.
    options.signal?.throwIfAborted();
    return { url, discovery: await settleOrAbort(client.discover(options), options.signal) };
  } catch (error) {
    return { url, error };
  }
}

/** Programs have room for the errors of the framework, which pages get by `errorRegistry`. */
const locatedAt = <C extends HttpCallerConfig>(config: C, { text }: BaseUrl): C => ({
  ...config,
  baseUrl: text,
  around: config.around ?? ((baseUrl: string) => [traceCalls(new TracePoint("runner:call"), baseUrl)]),
  errorRegistry: withFrameworkErrors(config.errorRegistry ?? new Map()),
});

/** No page makes an address of a program absolute. */
function readAbsolute(url: string): BaseUrl {
  const address = parseBaseUrl(url);
  if (address.url !== undefined || address.problem !== undefined) return address;
  return { ...address, problem: `baseUrl "${address.text}" has to be an absolute http or https URL.` };
}

const warn = (message: string, error?: unknown): void =>
  process.emitWarning(error === undefined ? message : `${message}\n  ${String(error)}`);
