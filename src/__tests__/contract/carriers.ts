import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { createFile } from "../../platform/createFile";
import {
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  createNodeFile,
  type definitions as types,
  getDefaultSerializer,
  globals,
  nodeExposure,
} from "../../node";
import { settleOrAbort } from "../../lib/settleOrAbort";
import { openNodeFile } from "../../node/files/nodeInputFile";
import type { ClientCallOptions, RemoteClient } from "../../tunnels/client/remoteClient";
import { createCallCodec } from "../../tunnels/client/callCodec";
import { createTunnelClient } from "../../tunnels/client/createTunnelClient";
import { defaultTokenHeader } from "../../tunnels/protocol/headers";
import type { Transport } from "../../tunnels/protocol/wire";
import { createAllowListSource } from "../../tunnels/server/allowList";
import { createAuthenticate } from "../../tunnels/server/authenticate";
import { createHandler } from "../../tunnels/server/createHandler";
import { createContextReader } from "../../tunnels/server/readContexts";
import { parseBaseUrl } from "../../tunnels/transports/baseUrl";
import { httpLayers } from "../../tunnels/transports/httpClients";
import { sold, visitor as viewer } from "../integration/streams/streamDefinitions";
import { carrierOf } from "../support/carrierOf";
import { startContractApp, token, type ContractApp, type ContractAppOptions } from "./contractApp";
import { locale, soldOut, visitor } from "./contractDefinitions";

/**
 * One row of the matrix: a way for calls to travel. A new carrier adds a row to `nodeCarriers`, or to
 * `pageCarriers` when it lives in a browser; the suites say what it has to keep.
 */
export interface CarrierRow {
  readonly name: string;
  /** Makes a client whose calls travel this way. */
  readonly connect: (served: ContractApp, options: ConnectOptions) => RemoteClient;
  /** Brings an input into the form that makes it travel this way; plain carriers take it as it is. */
  readonly dress: (input: object) => unknown;
  /** Starts what is called. Default: an exposure over HTTP. */
  readonly serve?: ((options: ContractAppOptions) => Promise<ContractApp>) | undefined;
  /** What a call that takes too long fails with: `name` of the error, or `code` of the `TunnelError`. */
  readonly timesOutWith: "AbortError" | "REQUEST_TIMEOUT";
  /** Its client lives in another process, whose clock no test stops. */
  readonly hasOwnClock?: true | undefined;
  /** Largest text of an input, in bytes, if there is a limit. */
  readonly textLimitBytes?: number | undefined;
  /** How many calls travel at once, the others waiting, if that is limited. */
  readonly callsAtOnce?: number | undefined;
  /** How much of a stream of items may wait between a task and its caller, in bytes. Default: 8 MiB, for the kernel. */
  readonly waitingBytes?: number | undefined;
  readonly can: Abilities;
  /** What tasks are told they were called by. Default: the exposure over HTTP. */
  readonly origin?: string | undefined;
}

export interface Abilities {
  /** Inputs arrive as values, so that schemas of the task see them. */
  readonly values: boolean;
  /** Which files may be among an input. */
  readonly files: readonly FileKind[];
  /** An input may be a stream of bytes. */
  readonly octets: boolean;
  /** A reply may be a stream of bytes. */
  readonly streamedReplies: boolean;
  /** Async contexts go along; there are none in browsers. */
  readonly contexts: boolean;
  /** A `Buffer` stays one; where there is no such class it becomes a `Uint8Array`. */
  readonly buffers: boolean;
  /** Which way items of streams travel. */
  readonly items: "both ways" | "to the caller" | "neither way";
  /** Whether events can be listened to. */
  readonly subscriptions: boolean;
}

export type FileKind = "blob" | "buffer" | "stream" | "webStream";

export interface ConnectOptions {
  readonly token?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

/** What the clients of all rows have in common. */
export const common = ({ token: presented = token, timeoutMs }: ConnectOptions) => ({
  auth: { token: presented },
  timeoutMs,
  contexts: [visitor, locale, viewer],
  errorRegistry: new Map<string, types.IErrorHelper<any>>([soldOut, sold].map((each) => [each.id, each])), // whatever its data
});

/** What clients of Node tell the server by themselves, and others where they are asked to. */
export const everything = { deadline: true, trace: true } as const;

export const plain = (input: object): unknown => input;
export const besideBlob = (input: object): unknown => ({
  ...input,
  beside: createFile({ name: "beside" }, new Blob(["bytes"]), "beside"),
});
const besideStream = (input: object): unknown => ({
  ...input,
  beside: createNodeFile({ name: "beside" }, { stream: Readable.from(["by", "tes"]) }, "beside"),
});
const asOctets = (input: object): unknown => Readable.from([getDefaultSerializer().stringify(input)]);

/** What every carrier of Node keeps. */
export const ofNode = { contexts: true, buffers: true };
export const streaming = { items: "both ways", subscriptions: true } as const;
const noFiles: readonly FileKind[] = [];
const everyFile: readonly FileKind[] = ["blob", "buffer", "stream", "webStream"];
const MiB = 1024 * 1024;

const memory: CarrierRow = {
  name: "memory (the handler itself)",
  origin: "memory",
  connect: ({ app }, options) =>
    createTunnelClient({
      ...common(options),
      codec: createCallCodec,
      carrier: carrierOf(inMemory(app)),
      layers: httpLayers({
        address: parseBaseUrl("http://memory.test"),
        timeoutMs: options.timeoutMs,
        propagate: everything,
      }),
    }),
  dress: plain,
  timesOutWith: "AbortError",
  can: { ...ofNode, ...streaming, values: true, files: everyFile, octets: false, streamedReplies: true },
};

const byFetch: CarrierRow = {
  name: "fetch",
  connect: ({ baseUrl }, options) => createHttpClient({ baseUrl, ...common(options), propagate: everything }),
  dress: plain,
  timesOutWith: "AbortError",
  textLimitBytes: 2 * MiB,
  can: { ...ofNode, ...streaming, values: true, files: ["blob"], octets: false, streamedReplies: true },
};

/** Plain calls by the pool, files and streams by node:http. */
const smart: CarrierRow = {
  name: "Smart",
  connect: ({ baseUrl }, options) => createHttpSmartClient({ baseUrl, ...common(options) }),
  dress: plain,
  timesOutWith: "REQUEST_TIMEOUT",
  textLimitBytes: 2 * MiB,
  can: { ...ofNode, ...streaming, values: true, files: everyFile, octets: true, streamedReplies: true },
};

const mixed: CarrierRow = {
  ...smart,
  name: "Mixed",
  connect: ({ baseUrl }, options) => createHttpMixedClient({ baseUrl, ...common(options) }),
  timesOutWith: "AbortError",
};

/** Three servers of one application, so that what a task saw can be asked for wherever it ran. */
const pooled: CarrierRow = {
  ...mixed,
  name: "pool of three endpoints",
  connect: ({ baseUrl, moreUrls = [] }, options) =>
    createHttpMixedClient({ endpoints: [baseUrl, ...moreUrls], ...common(options) }),
  serve: startThreeServers,
};

async function startThreeServers(options: ContractAppOptions): Promise<ContractApp> {
  const served = await startContractApp(options);
  const exposure = served.app.getResourceValue(nodeExposure);
  const servers = [exposure.createServer(), exposure.createServer()];
  await Promise.all(servers.map((server) => once(server.listen(0, "127.0.0.1"), "listening")));
  const moreUrls = servers.map((server) => {
    const { port } = server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${exposure.basePath}`;
  });
  return {
    ...served,
    moreUrls,
    cutConnections() {
      served.cutConnections();
      for (const server of servers) server.closeAllConnections();
    },
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await Promise.all(servers.map(async (server) => server.listening && once(server.close(), "close")));
    },
  };
}
const batching: CarrierRow = {
  ...mixed,
  name: "Mixed, batching",
  connect: ({ baseUrl }, options) => createHttpMixedClient({ baseUrl, ...common(options), batch: true }),
};

const batchingByFetch: CarrierRow = {
  ...byFetch,
  name: "fetch, batching",
  connect: ({ baseUrl }, options) =>
    createHttpClient({ baseUrl, ...common(options), propagate: everything, batch: true }),
};

const compressed: CarrierRow = {
  ...smart,
  name: "Smart, compressed both ways",
  connect: ({ baseUrl }, options) =>
    createHttpSmartClient({ baseUrl, ...common(options), compression: { requests: true, responses: true } }),
  serve: (options) =>
    startContractApp({ ...options, http: { compression: { requests: true, responses: { threshold: 0 } } } }),
};

/** Calls that carry a file, even where the task wants none. */
const asForm = (row: CarrierRow, name: string, dress: CarrierRow["dress"]): CarrierRow => ({
  ...row,
  name,
  dress,
  timesOutWith: row === byFetch ? "AbortError" : "REQUEST_TIMEOUT",
  // The manifest is a field of the form.
  textLimitBytes: MiB,
  can: { ...row.can, octets: false },
});

/** Calls whose input is nothing but bytes. */
const asStream = (row: CarrierRow, name: string): CarrierRow => ({
  ...row,
  name,
  dress: asOctets,
  timesOutWith: "REQUEST_TIMEOUT",
  textLimitBytes: undefined,
  can: { ...row.can, values: false, files: noFiles },
});

export const nodeCarriers: readonly CarrierRow[] = [
  memory,
  byFetch,
  mixed,
  smart,
  pooled,
  compressed,
  batching,
  batchingByFetch,
  { ...asForm(memory, "memory, a form", besideBlob), timesOutWith: "AbortError", textLimitBytes: undefined },
  asForm(byFetch, "fetch, multipart of blobs", besideBlob),
  asForm(smart, "Smart, multipart of streams", besideStream),
  asForm(mixed, "Mixed, multipart of streams", besideStream),
  asForm(pooled, "pool of three endpoints, multipart of streams", besideStream),
  asForm(compressed, "Smart, compressed multipart", besideStream),
  asStream(smart, "Smart, octets"),
  asStream(mixed, "Mixed, octets"),
  asStream(pooled, "pool of three endpoints, octets"),
  asStream(compressed, "Smart, compressed octets"),
];

/** One block of tests per row; none where there are no rows. */
export function describeRows<Row extends { readonly name: string }>(
  title: string,
  rows: readonly Row[],
  suite: (row: Row) => void,
): void {
  for (const row of rows) describe(`${title}: ${row.name}`, () => suite(row));
}

/** A row in use. */
export interface OpenCarrier extends AsyncDisposable {
  readonly served: ContractApp;
  readonly client: RemoteClient;
  connect(options: ConnectOptions): RemoteClient;
  /** Calls `contract.<name>` with an input that travels the row's way. */
  call<O = unknown>(name: string, input: object, options?: ClientCallOptions, via?: RemoteClient): Promise<O>;
}

export async function openCarrier(row: CarrierRow, options: ContractAppOptions = {}): Promise<OpenCarrier> {
  const served = await (row.serve ?? startContractApp)(options);
  const client = row.connect(served, {});
  return {
    served,
    client,
    connect: (connection) => row.connect(served, connection),
    call: async <O>(name: string, input: object, call?: ClientCallOptions, via = client) =>
      via.task<unknown, O>(`contract.${name}`, row.dress(input), call),
    async [Symbol.asyncDispose]() {
      await client.close();
      await served[Symbol.asyncDispose]();
    },
  };
}

/** A transport that is the server's handler. */
function inMemory(app: ContractApp["app"]): Transport {
  const { store } = app;
  const serializer = app.getResourceValue(globals.resources.serializer);
  const handle = createHandler({
    authenticate: createAuthenticate({
      header: defaultTokenHeader,
      findTokenHolder: (presented) => (presented === token ? { name: "contract" } : undefined),
      validators: [],
      timeoutMs: 10_000,
      onOddVerdict() {},
      admitsAnonymous: () => false,
    }),
    allowList: createAllowListSource(store, { transport: "http", open: true, onSkipped: () => {} }).freeze,
    readContexts: createContextReader(store.asyncContexts, serializer),
    eventManager: app.getResourceValue(globals.resources.eventManager),
    origin: "memory",
    serializer,
    errors: store.errors,
    jsonBytes: 2 * MiB,
    openFile: openNodeFile,
    report: () => {},
  });
  return async (request) => settleOrAbort(handle(request), request.signal);
}
