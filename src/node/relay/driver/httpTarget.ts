import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { ResetCode } from "../../../relay/codes";
import { encodeResponseHead, type RequestHead, type ResponseHead } from "../../../relay/framePayloads";
import { flagEnd, flagInfo, flagUpgrade } from "../../../relay/frames";
import type { MuxStream } from "../../../relay/muxStream";
import { receiveInto, sendFrom } from "../byteFlow";
import { connectEventOf } from "../connectEvent";
import { joinSocket } from "../joinSocket";
import { endToEndHeaders, pairsOf, upgradeHeaders } from "../headers";
import { connectLocally } from "./localSocket";
import { limitConnecting } from "./limitConnecting";
import type { Undici } from "../../undici";
import { servicePool } from "./pooledExchange";
import { bodyBytesOf, serviceHeaders, type HostHeader } from "./serviceRequest";
import type { StreamTarget } from "./streamTarget";

/** A local HTTP service. */
export interface HttpTargetOptions {
  readonly host: string;
  readonly port: number;
  /** Over TLS; `rejectUnauthorized: false` for a certificate of its own making. */
  readonly tls?:
    { readonly ca?: string | Buffer | undefined; readonly rejectUnauthorized?: boolean | undefined } | undefined;
  /** How long to wait for a connection, in ms. */
  readonly connectTimeoutMs: number;
  /** "local" names the service itself in `Host`, as services ask for that know no other name. Default "visitor". */
  readonly hostHeader?: HostHeader | undefined;
  /** Carries requests without bodies; without it, and over TLS, `node:http` carries all. */
  readonly undici?: Undici | undefined;
}

/** Sends each exchange as one request over a keep-alive connection: the service sees ordinary HTTP. */
export function httpTarget(options: HttpTargetOptions): StreamTarget {
  const { host, port, tls, connectTimeoutMs, hostHeader, undici } = options;
  const agentOptions = { keepAlive: true, maxFreeSockets: 64 };
  const agent =
    tls === undefined ? new ServiceAgent(agentOptions) : new HttpsAgent({ ...agentOptions, ...dropUndefined(tls) });
  if (tls === undefined) Object.assign(agent, { createConnection: connectLocally });

  // The empty name spares a search for one, which is for TLS.
  const to = { agent, host, port, setHost: false, ...(tls === undefined && { servername: "" }) };

  const pool = undici === undefined || tls !== undefined ? undefined : servicePool(undici, options);
  const authority = hostHeader === "local" ? localAuthority(options) : undefined;

  function requestOf(head: RequestHead, flags: number): ClientRequest {
    const request = tls === undefined ? httpRequest : httpsRequest;
    // A list keeps order, case and repetitions.
    const headers = serviceHeaders(head, flags, authority) as never;
    return request({ ...to, method: head.method, path: head.target, headers });
  }

  return {
    open(stream, opening) {
      if (opening.kind !== "http") return stream.reset(ResetCode.INTERNAL, "This binding serves HTTP.");
      const { head, flags } = opening;
      stream.accept();
      if (pool?.takes(head, flags) === true) return pool.send(stream, head, serviceHeaders(head, flags, authority));
      const isUpgrade = (flags & flagUpgrade) !== 0;
      const request = requestOf(head, flags);
      const failure = watchConnecting(request, stream, connectTimeoutMs);
      if (isUpgrade) forwardUpgrade(request, stream, failure);
      else {
        const isBodiless = (flags & flagEnd) !== 0;
        forward(request, stream, { isBodiless, bodyBytes: bodyBytesOf(head), failure });
      }
    },
    close() {
      agent.destroy();
      pool?.close();
    },
  };
}

/** All its connections lead to one service: to name it anew for each request costs more than to find a free one. */
class ServiceAgent extends HttpAgent {
  override getName(): string {
    return "service";
  }
}

/** RFC 9110 section 7.2: without the port that the scheme has anyway. */
function localAuthority({ host, port, tls }: HttpTargetOptions): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === (tls === undefined ? 80 : 443) ? name : `${name}:${port}`;
}

const dropUndefined = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** What a visitor is told when a request fails now. */
type FailureCode = () => ResetCode;

/** Until the connection stands nothing is sent over it, and the service has handled nothing. */
function watchConnecting(request: ClientRequest, stream: MuxStream, timeoutMs: number): FailureCode {
  let isConnected = false;
  request.once("socket", (socket) => {
    const connectEvent = connectEventOf(socket);
    // What the system refuses at once, as without a free descriptor, has failed by now.
    isConnected = connectEvent === undefined && !socket.destroyed;
    if (connectEvent === undefined) return;
    socket.once(connectEvent, () => (isConnected = true));
    limitConnecting(socket, stream, timeoutMs, () => request.destroy());
  });
  return () => (isConnected ? ResetCode.LOCAL_RESET : ResetCode.LOCAL_CONNECT_FAILED);
}

interface Forwarding {
  readonly isBodiless: boolean;
  readonly bodyBytes: number | undefined;
  readonly failure: FailureCode;
}

function forward(request: ClientRequest, stream: MuxStream, { isBodiless, bodyBytes, failure }: Forwarding): void {
  let leftBytes = bodyBytes;
  /** What is too much would be another request to the service, and what is missing the next visitor's. */
  const cut = (): void => {
    request.destroy();
    stream.resetAndReport(ResetCode.BODY_LENGTH, "The request has another length than its head says.");
  };
  const receive = isBodiless ? undefined : receiveInto(request, stream);
  let response: IncomingMessage | undefined;
  let resume = (): void => {};
  stream.handler = {
    onData(bytes) {
      if (leftBytes !== undefined && (leftBytes -= bytes.length) < 0) cut();
      else receive?.(bytes);
    },
    onTrailers: (trailers) => request.addTrailers(pairsOf(trailers)),
    onEnd: () => (leftBytes ? cut() : void request.end()),
    onDrain: () => resume(),
    // The visitor left, or the link is gone.
    onReset: () => void (response?.destroy(), request.destroy()),
  };
  request.on("information", ({ statusCode, statusMessage, rawHeaders }) => {
    if (statusCode !== 101) {
      sendHead(stream, { status: statusCode, reason: statusMessage, headers: rawHeaders }, flagInfo);
    }
  });
  request.on("response", (message) => {
    response = message;
    resume = sendResponse(message, stream);
  });
  request.on("error", (error: NodeJS.ErrnoException) => {
    // A service may answer and close before it has read all of a request: its answer counts, the rest does not.
    if (stream.isClosed) return;
    if (response?.complete === true) stream.handler.onData = (bytes) => stream.consumed(bytes.length);
    else stream.reset(failure(), error.code ?? error.message);
  });
  if (isBodiless && leftBytes) cut();
  // Without a body nothing follows that would send the request.
  else if (isBodiless) request.end();
  // Node's own way to send a head alone writes it in UTF-8, which is not what its characters stand for.
  else request.write(noBytes);
}

function forwardUpgrade(request: ClientRequest, stream: MuxStream, failure: FailureCode): void {
  let socket: Duplex | undefined;
  stream.handler = { onReset: () => void (socket?.destroy(), request.destroy()) };
  request.on("upgrade", (message, upgraded, head) => {
    socket = upgraded;
    // Sockets of agents end when their peer does, and with that the visitor who still speaks.
    upgraded.allowHalfOpen = true;
    sendHead(
      stream,
      responseHeadOf(message, upgradeHeaders(message.rawHeaders, message.headers.upgrade ?? "")),
      flagUpgrade,
    );
    joinSocket(upgraded, stream, { head });
  });
  // The service does not switch: what it answers instead is an ordinary response.
  request.on("response", (message) => {
    stream.handler = { onDrain: sendResponse(message, stream), onReset: () => void message.destroy() };
  });
  request.on("error", (error: NodeJS.ErrnoException) => stream.reset(failure(), error.code ?? error.message));
  request.end();
}

/** @returns `onDrain` for the stream's handler */
function sendResponse(message: IncomingMessage, stream: MuxStream): () => void {
  sendHead(stream, responseHeadOf(message), 0);
  message.on("error", () => stream.reset(ResetCode.LOCAL_RESET, "The local service broke off."));
  message.once("close", () => {
    if (!message.complete) stream.reset(ResetCode.LOCAL_RESET, "The local service broke off.");
  });
  return sendFrom(message, stream, () => message.rawTrailers);
}

const sendHead = (stream: MuxStream, head: ResponseHead, flags: number): void =>
  stream.sendHead(encodeResponseHead(head), flags);

function responseHeadOf(message: IncomingMessage, headers = endToEndHeaders(message.rawHeaders)): ResponseHead {
  const declared = message.headers["content-length"];
  return {
    status: message.statusCode ?? 502,
    reason: message.statusMessage ?? "",
    headers,
    contentLength: declared === undefined ? undefined : Number(declared),
  };
}

const noBytes = /* @__PURE__ */ new Uint8Array(0);
