import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type OutgoingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { pipeline, Readable, type Transform } from "node:stream";
import { normalizeError } from "../../errors/normaliseThrown";
import { clientClosed, type Carrier } from "../../tunnels/client/carrier";
import { countSockets, type SocketCount } from "../../tunnels/client/openSockets";
import { targetPath } from "../../tunnels/protocol/paths";
import { defaultReplyBytes } from "../../tunnels/protocol/replyLimit";
import { createByteCounter } from "../../tunnels/protocol/progress";
import type { BodyState, WireRequest, WireResponse } from "../../tunnels/protocol/wire";
import { bytesOnly, countingStream, toReadable } from "./byteSources";
import { claimStreams, noteSourceError } from "./claimedStreams";
import { acceptEncoding, gzipCoding } from "../contentCodings";
import { explainTls } from "../explainTls";
import type { ClientCompression } from "./clientCompression";
import { readEndpoint, type Endpoint } from "./endpoint";
import { boundaryOf, multipartStream, newFormContentType } from "./multipartStream";
import { readReply } from "./readReply";

export interface NodeHttpCarrierConfig {
  readonly baseUrl: string;
  /** Most connections at a time; further calls wait for one. Default 128. */
  readonly maxConnections?: number | undefined;
  readonly compression?: ClientCompression | undefined;
  /** Largest JSON reply, decompressed, in bytes. Default 32 MiB. */
  readonly maxReplyBytes?: number | undefined;
}

/**
 * Sends every kind of body over node:http: text, forms with streamed files, and bytes in both directions at once.
 *
 * Replies that are no JSON are handed out as they arrive. Redirects are not followed.
 */
export function nodeHttpCarrier({
  baseUrl,
  maxConnections = 128,
  compression = {},
  maxReplyBytes = defaultReplyBytes,
}: NodeHttpCarrierConfig): Carrier {
  let connection: Connection | undefined;
  /** Streams of items may last, so that calls would wait for their connections. */
  let itemsConnection: Connection | undefined;
  const inFlight = new Set<ClientRequest>();
  let isClosed = false;

  async function send(wire: WireRequest): Promise<WireResponse> {
    const body = await prepareBody(wire, compression.requests === true);
    const request = openFor(connectionFor(wire), wire, body);
    inFlight.add(request);
    request.on("close", () => inFlight.delete(request));
    return exchange(request, wire, body, maxReplyBytes);
  }

  const connectionFor = ({ body, wantsItems }: WireRequest): Connection =>
    body.kind === "items" || wantsItems === true
      ? (itemsConnection ??= connect(baseUrl, Infinity))
      : (connection ??= connect(baseUrl, maxConnections));

  /** @throws {TunnelError | Error} the client was closed, or a header or the path cannot be sent */
  function openFor(to: Connection, wire: WireRequest, body: OutgoingBody): ClientRequest {
    try {
      if (isClosed) throw clientClosed();
      const headers: OutgoingHttpHeaders = { ...wire.headers, ...body.headers };
      if (compression.responses === true) headers["accept-encoding"] ??= acceptEncoding;
      return to.open(targetPath(wire.target), headers);
    } catch (error) {
      // The stream around the sources is not sent, so its failures concern no call.
      if (body.content instanceof Readable) body.content.on("error", () => {}).destroy();
      throw error;
    }
  }

  return {
    accepts: { abort: true, streams: true, files: true, nodeFiles: true, items: true },
    claimStreams,
    send,
    async close({ signal } = {}) {
      isClosed = true;
      connection?.release();
      itemsConnection?.release();
      const destroy = (): void => inFlight.forEach((request) => destroyWith(clientClosed(), request));
      if (signal?.aborted === true) destroy();
      signal?.addEventListener("abort", destroy, { once: true });
      await Promise.all([...inFlight].map((request) => new Promise((resolve) => request.once("close", resolve))));
      signal?.removeEventListener("abort", destroy);
    },
  };
}

interface Connection extends SocketCount {
  open(path: string, headers: OutgoingHttpHeaders): ClientRequest;
  /** Closes idle sockets now, and the others once they are idle. */
  release(): void;
}

function connect(baseUrl: string, maxSockets: number): Connection {
  const { isSecure, hostname, port, basePath }: Endpoint = readEndpoint(baseUrl);
  const options = { keepAlive: true, maxSockets, timeout: longestIdleMs };
  const agent = isSecure ? new HttpsAgent(options) : new HttpAgent(options);
  const request = isSecure ? httpsRequest : httpRequest;
  const connection: Connection = {
    socketCount: () => countOf(agent.sockets) + countOf(agent.freeSockets),
    open(path, headers) {
      const opened = request({ agent, hostname, port, path: basePath + path, method: "POST", headers });
      if ("Deno" in globalThis) keepFromRepeating(opened);
      return opened;
    },
    release() {
      agent.maxFreeSockets = 0;
      for (const sockets of Object.values(agent.freeSockets)) sockets?.forEach((socket) => socket.destroy());
    },
  };
  countSockets(connection);
  return connection;
}

const countOf = (sockets: HttpAgent["sockets"] = {}): number =>
  Object.values(sockets).reduce((sum, list) => sum + (list?.length ?? 0), 0);

/**
 * Deno sends a request a second time when it fails on a connection that was used before, even one that was destroyed on
 * purpose (denoland/deno#36786). A task would run twice, and the request would never be closed.
 */
const keepFromRepeating = (request: ClientRequest): void =>
  void request.once("socket", () => (request.reusedSocket = false));

/**
 * How long an idle connection is kept, at most: as in undici, which sends the other calls. Without a limit of its own the
 * agent ignores what the server says of its limit. Calls are not cut by it.
 */
const longestIdleMs = 4_000;

/** A body on its way, and what it adds to the headers. */
interface OutgoingBody {
  readonly headers: OutgoingHttpHeaders;
  readonly content: string | Buffer | Readable;
  /** What the content goes through before the socket. */
  readonly stages: readonly Transform[];
  /** Length before compression, if known. */
  readonly totalBytes: number | undefined;
  /** Leaves the sources of the content, of which nothing was read, to another content. */
  readonly abandon?: () => void;
}

async function prepareBody({ body, headers }: WireRequest, isCompressed: boolean): Promise<OutgoingBody> {
  const encoding = isCompressed ? { "content-encoding": "gzip" } : {};
  if (body.kind === "text") {
    const text = await body.read();
    const totalBytes = Buffer.byteLength(text);
    const content = isCompressed ? await gzipCoding.encode(text) : inEncodingOf(headers, text);
    const length = typeof content === "string" ? totalBytes : content.byteLength;
    return { content, stages: [], totalBytes, headers: { "content-length": length, ...encoding } };
  }
  if (body.kind === "incomingForm") throw new TypeError("A form that is still arriving cannot be sent on.");

  // Flushed chunk by chunk: the server may reply to a stream while it is still being made.
  const stages = isCompressed ? [gzipCoding.createEncoder()] : [];
  if (body.kind === "stream" || body.kind === "items") {
    const content = toReadable(body.stream);
    return {
      content,
      stages: [...(content.readableObjectMode ? [bytesOnly()] : []), ...stages],
      totalBytes: undefined,
      headers: encoding,
    };
  }
  // `onRequest` has the last word on headers, so the boundary is read from there.
  const contentType =
    boundaryOf(headers["content-type"]) === undefined ? newFormContentType() : String(headers["content-type"]);
  const { stream, totalBytes, abandon } = multipartStream(body, boundaryOf(contentType) as string);
  return { content: stream, stages, totalBytes, abandon, headers: { "content-type": contentType, ...encoding } };
}

/** Node writes a text and the head before it in one encoding; headers are latin1. */
const inEncodingOf = (headers: WireRequest["headers"], text: string): string | Buffer =>
  Object.values(headers).some((value) => notAscii.test(String(value))) ? Buffer.from(text) : text;

const notAscii = /[^\x20-\x7e]/;

/**
 * Sends a body and reads the reply, which may start while the body still leaves.
 *
 * What fails before there is a reply rejects; what fails later shows on the reply.
 */
function exchange(
  request: ClientRequest,
  wire: WireRequest,
  body: OutgoingBody,
  limitBytes: number,
): Promise<WireResponse> {
  return new Promise((resolve, reject) => {
    const { signal } = wire;
    let reply: Readable | undefined;
    const abortWith = (reason: unknown): void => {
      reject(reason);
      reply?.destroy(normalizeError(reason));
      destroyWith(normalizeError(reason), request);
      // A request that waits for a connection is not closed before it would get one.
      if (body.content instanceof Readable) body.content.destroy();
    };
    const abort = (): void => abortWith(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });

    // Each of these happens once at most; `once` would cost a wrapper each.
    request.on("response", (message) => {
      reply = message;
      readReply(message, wire, limitBytes).then((response) => {
        resolve(response);
        // The call has its reply: what is still to be sent is not needed.
        if (response.body.kind === "text" && !request.writableFinished) request.destroy();
      }, abortWith);
    });
    // With a reply, a socket that breaks shows there.
    request.on("error", (error) => reject(explainTls(error)));
    request.on("close", () => {
      signal?.removeEventListener("abort", abort);
      if (reply === undefined) reject(new Error("The connection was closed before there was a reply."));
    });
    if (signal?.aborted === true) abort();
    else sendBody(request, wire, body, abortWith);
  });
}

/** Between the end of a reply and that of its request nothing listens to the socket: its error would end the process. */
function destroyWith(error: Error, request: ClientRequest): void {
  request.socket?.once("error", () => {});
  request.destroy(error);
}

function sendBody(
  request: ClientRequest,
  { onProgress, bodyState }: WireRequest,
  body: OutgoingBody,
  abortWith: (reason: unknown) => void,
): void {
  const { content, stages, totalBytes } = body;
  if (typeof content === "string" || Buffer.isBuffer(content)) {
    request.end(content, onProgress && (() => onProgress({ sentBytes: totalBytes ?? 0, totalBytes })));
    return;
  }
  const counter = onProgress && createByteCounter((sentBytes) => onProgress({ sentBytes, totalBytes }));
  const counting = counter ? [countingStream(counter.add)] : [];
  content.once("error", noteSourceError);
  // A socket that takes no more is no reason to drop a reply that may be there; a source that fails is.
  const onError = (error: Error): void => {
    if (!request.destroyed) abortWith(error);
  };
  for (const stage of [content, ...stages]) stage.once("error", onError);
  const onClose = (): void => {
    if (!request.destroyed && !content.readableEnded)
      abortWith(new Error("A stream was destroyed before all was sent."));
  };
  content.once("close", onClose);
  // It may have failed while a hook was awaited.
  if (content.errored) abortWith(content.errored);
  const begin = (): void =>
    void pipeline([content, ...counting, ...stages, request], (error) => {
      if (!error) counter?.finish();
    });
  if (bodyState === undefined) return begin();
  readOnceConnected(request, bodyState, begin);
  request.once("close", () => {
    if (!bodyState.isUnread) return;
    // The next one to send it listens by itself.
    content.off("error", noteSourceError).off("error", onError).off("close", onClose);
    body.abandon?.();
  });
}

/** A stream of which nothing was read can still be sent to another server, should nothing listen here. */
function readOnceConnected(request: ClientRequest, bodyState: BodyState, read: () => void): void {
  const begin = (): void => {
    if (request.destroyed) return;
    bodyState.isUnread = false;
    read();
  };
  bodyState.isUnread = true;
  request.once("socket", (socket) => {
    if (socket.connecting) socket.once("connect", begin);
    else begin();
  });
}
