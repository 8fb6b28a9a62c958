import type { Pool } from "undici";
import { clientClosed, type Abilities, type Carrier, type CloseOptions } from "../../tunnels/client/carrier";
import { countSockets, type SocketCount } from "../../tunnels/client/openSockets";
import { targetPath } from "../../tunnels/protocol/paths";
import { defaultReplyBytes } from "../../tunnels/protocol/replyLimit";
import type { Transport, WireRequest, WireResponse } from "../../tunnels/protocol/wire";
import { acceptEncoding, gzipCoding } from "../contentCodings";
import { canPool, importUndici, type Undici } from "../undici";
import type { ClientCompression } from "./clientCompression";
import { readEndpoint, type Endpoint } from "./endpoint";
import { nodeFetchCarrier } from "./nodeFetch";
import { PoolCall } from "./poolCall";

export interface PoolCarrierConfig {
  readonly baseUrl: string;
  /** Most connections at a time; further calls wait for one. Default 128. */
  readonly maxConnections?: number | undefined;
  /** Largest reply that is read into one text, decompressed, in bytes. Default 32 MiB. */
  readonly maxReplyBytes?: number | undefined;
  readonly compression?: ClientCompression | undefined;
}

/**
 * Sends JSON calls over a keep-alive pool of connections, at a fraction of what fetch costs; a reply that is no JSON is
 * the stream that it is. Redirects are not followed. undici is loaded at the first call: it takes some 50 ms, once per
 * process.
 *
 * @param loadUndici for tests of what stands in for it
 */
export function poolCarrier(
  config: PoolCarrierConfig,
  loadUndici: () => Promise<Partial<Undici> | undefined> = importUndici,
): Carrier {
  let opening: Promise<OpenedCarrier> | undefined;
  let opened: OpenedCarrier | undefined;
  let isClosed = false;

  async function open(): Promise<OpenedCarrier> {
    const endpoint = readEndpoint(config.baseUrl);
    const undici = await loadUndici();
    return (opened = canPool(undici) ? openPool(undici, endpoint, config) : nodeFetchCarrier(config, accepts));
  }

  return {
    accepts,
    send(request) {
      if (isClosed) return Promise.reject(clientClosed());
      // Nothing to await on the way of almost every call.
      if (opened !== undefined) return opened.send(request);
      return (opening ??= open()).then(({ send }) => (isClosed ? Promise.reject(clientClosed()) : send(request)));
    },
    async close(options) {
      isClosed = true;
      const toClose = await opening?.catch(() => undefined);
      await toClose?.close(options);
    },
  };
}

type OpenedCarrier = Pick<Carrier, "send" | "close"> & Partial<SocketCount>;

const textOnly = { refusal: "The pool sends text only." };
const accepts: Abilities = { abort: true, streams: textOnly, files: textOnly, nodeFiles: textOnly };

function openPool(
  { Pool: PoolClass }: Undici,
  { origin, basePath }: Endpoint,
  config: PoolCarrierConfig,
): OpenedCarrier {
  const { maxConnections = 128, maxReplyBytes = defaultReplyBytes, compression = {} } = config;
  // Only `timeoutMs` and the signal of a call decide how long it may take.
  const times = { headersTimeout: 0, bodyTimeout: 0 };
  const pool = new PoolClass(origin, { connections: maxConnections, ...times });
  /** Streams of items may last, so that calls would wait for their connections. */
  let itemsPool: Pool | undefined;
  const poolFor = ({ wantsItems }: WireRequest): Pool =>
    wantsItems === true ? (itemsPool ??= new PoolClass(origin, { connections: null, ...times })) : pool;

  function dispatch(request: WireRequest, body: string | Buffer): Promise<WireResponse> {
    // It may have been closed while a text was compressed.
    if (pool.closed || pool.destroyed) return Promise.reject(clientClosed());
    return new Promise((resolve, reject) => {
      const { target, headers } = request;
      const call = new PoolCall(request, body, maxReplyBytes, { resolve, reject });
      poolFor(request).dispatch(
        { path: basePath + targetPath(target), method: "POST", headers: headers as {}, body },
        call,
      );
    });
  }

  const sendPlain: Transport = (request) => {
    const text = textOf(request);
    return typeof text === "string" ? dispatch(request, text) : text.then((read) => dispatch(request, read));
  };

  const sendCompressed: Transport = async (request) => {
    const headers = { ...request.headers };
    if (compression.responses === true) headers["accept-encoding"] ??= acceptEncoding;
    const text = await textOf(request);
    if (compression.requests !== true) return dispatch({ ...request, headers }, text);
    headers["content-encoding"] = "gzip";
    return dispatch({ ...request, headers }, await gzipCoding.encode(text));
  };

  const carrier = {
    send: compression.requests === true || compression.responses === true ? sendCompressed : sendPlain,
    socketCount: () => pool.stats.connected + (itemsPool?.stats.connected ?? 0),
    async close({ signal }: CloseOptions = {}) {
      const pools = [pool, itemsPool].filter((each) => each !== undefined);
      const destroy = (): void => pools.forEach((each) => void each.destroy(clientClosed()));
      if (signal?.aborted === true) return void (await Promise.all(pools.map((each) => each.destroy(clientClosed()))));
      signal?.addEventListener("abort", destroy, { once: true });
      try {
        await Promise.all(pools.filter((each) => !each.destroyed).map((each) => each.close()));
      } finally {
        signal?.removeEventListener("abort", destroy);
      }
    },
  };
  countSockets(carrier);
  return carrier;
}

function textOf({ body }: WireRequest): string | Promise<string> {
  if (body.kind !== "text") throw new TypeError(`The pool cannot send a ${body.kind} body.`);
  return body.read();
}
