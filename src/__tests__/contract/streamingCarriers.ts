import {
  createExposureFetch,
  createHttpClient,
  createHttpMixedClient,
  fetchExposure,
  globals,
  nodeExposure,
  tunnelServe,
} from "../../node";
import { relayToken, startRelay } from "../support/relay/relay";
import { common, nodeCarriers, ofNode, plain, streaming, type CarrierRow } from "./carriers";
import { startContractApp, token, type ContractApp, type ContractAppOptions } from "./contractApp";

/** What calls of tasks that neither send nor receive items show is not asked of these. */
const row = { dress: plain, timesOutWith: "AbortError" } as const;
const can = { ...ofNode, ...streaming, values: true, files: [], octets: false, streamedReplies: true } as const;

export const memoryServer: CarrierRow = {
  ...row,
  name: "memory (the server of memory tunnels)",
  connect: ({ app }) => app.getResourceValue(globals.resources.memoryServer).connect(),
  can,
};

const jsonByFetch: CarrierRow = {
  ...row,
  name: "fetch, JSON only",
  connect: ({ baseUrl }, options) => createExposureFetch({ baseUrl, ...common(options) }),
  can: { ...can, items: "to the caller" },
};

const fetchEdge: CarrierRow = {
  ...row,
  name: "the fetch edge",
  serve: (options) =>
    startContractApp({
      ...options,
      also: (waits) => [...(options.also?.(waits) ?? []), fetchExposure.with({ http: { auth: { token } } })],
    }),
  connect({ app }, options) {
    const edge = app.getResourceValue(fetchExposure);
    const serve = async (url: string, init: RequestInit) => edge.fetch(new Request(url, init));
    return createHttpClient({
      baseUrl: "http://edge.test/__runner",
      ...common(options),
      fetchImpl: serve as typeof fetch,
    });
  },
  can,
};

const throughARelay: CarrierRow = {
  ...row,
  name: "Mixed, through a relay",
  serve: startBehindARelay,
  connect: ({ baseUrl }, options) => createHttpMixedClient({ baseUrl, ...common(options) }),
  // Each of the connections on the way has buffers of its own.
  waitingBytes: 32 * 1024 * 1024,
  can,
};

async function startBehindARelay(options: ContractAppOptions): Promise<ContractApp> {
  const served = await startContractApp(options);
  const relay = await startRelay();
  const exposure = served.app.getResourceValue(nodeExposure);
  const handle = await tunnelServe({ relay: relay.relay.url, token: relayToken, server: exposure.createServer() });
  return {
    ...served,
    baseUrl: `http://127.0.0.1:${handle.containerPort}${exposure.basePath}`,
    async [Symbol.asyncDispose]() {
      await handle.close();
      await relay[Symbol.asyncDispose]();
      await served[Symbol.asyncDispose]();
    },
  };
}

/** The ways for streams of items, and for subscriptions. */
export const streamingCarriers: readonly CarrierRow[] = [
  ...nodeCarriers.filter(({ dress }) => dress === plain),
  memoryServer,
  jsonByFetch,
  fetchEdge,
  throughARelay,
];
