import type { RequestListener, Server } from "node:http";
import { ResetCode } from "../../../relay/codes";
import { encodeResponseHead, type FlatHeaders, type ResponseHead } from "../../../relay/framePayloads";
import { flagEnd, flagInfo, flagUpgrade } from "../../../relay/frames";
import type { MuxStream } from "../../../relay/muxStream";
import type { StreamOpening } from "../../../relay/sessionContract";
import type { StreamHandler } from "../../../relay/streamContract";
import { detached } from "../byteFlow";
import { endToEndHeaders, pairsOf, upgradeHeaders } from "../headers";
import { ResponseReader, type ResponseHandler } from "./responseReader";
import { ServedConnections, type ConnectionHandler, type ServedConnection } from "./servedConnection";
import { bodyBytesOf, lengthOf, serviceHeaders, valueOf, type HostHeader } from "./serviceRequest";
import type { StreamTarget } from "./streamTarget";

type HttpOpening = Extract<StreamOpening, { kind: "http" }>;

/** A server of this process, listening or not, or a listener for requests. */
export interface ListenerTargetOptions {
  readonly handler: Server | RequestListener;
  /** "local" names the service "localhost". Default "visitor". */
  readonly hostHeader?: HostHeader | undefined;
}

/** Serves each exchange by a server of this process, which reads and writes HTTP as over a socket. */
export function listenerTarget({ handler, hostHeader }: ListenerTargetOptions): StreamTarget {
  const connections = new ServedConnections(handler);
  const authority = hostHeader === "local" ? "localhost" : undefined;
  return {
    open(stream, opening) {
      if (opening.kind !== "http") return stream.reset(ResetCode.INTERNAL, "This binding serves HTTP.");
      stream.accept();
      new ServedExchange(stream, opening, connections).begin(opening, authority);
    },
    close: () => connections.close(),
  };
}

/** One exchange of a server in this process. A class, because one is made per request. */
class ServedExchange implements StreamHandler, ConnectionHandler, ResponseHandler {
  readonly #stream: MuxStream;
  readonly #connections: ServedConnections;
  readonly #connection: ServedConnection;
  readonly #response: ResponseReader;
  readonly #isUpgrade: boolean;
  #isChunked = false;
  #isSwitched = false;
  /** Of the request, still to come; `undefined` where its head does not say. */
  #leftBytes: number | undefined;
  #isRequestDone: boolean;
  #trailers: FlatHeaders = [];
  #mayWrite = true;

  constructor(stream: MuxStream, { head, flags }: HttpOpening, connections: ServedConnections) {
    this.#stream = stream;
    this.#connections = connections;
    this.#connection = connections.take();
    this.#response = new ResponseReader(head.method, this);
    this.#isUpgrade = (flags & flagUpgrade) !== 0;
    this.#isRequestDone = (flags & flagEnd) !== 0;
    // Until the server switches, nothing can follow the head.
    this.#leftBytes = this.#isUpgrade ? 0 : bodyBytesOf(head);
  }

  begin({ head, flags }: HttpOpening, authority: string | undefined): void {
    const headers = serviceHeaders(head, flags, authority);
    this.#stream.handler = this;
    this.#connection.handler = this;
    if (this.#isRequestDone && this.#leftBytes) return this.#cutRequest();
    this.#isChunked = !this.#isRequestDone && !this.#isUpgrade && lengthOf(headers) === undefined;
    let text = `${head.method} ${head.target} HTTP/1.1\r\n`;
    for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`;
    this.#connection.give(Buffer.from(`${text}\r\n`, "latin1"), 0);
  }

  // Of the visitor:

  onData(bytes: Uint8Array): void {
    if (this.#leftBytes !== undefined && (this.#leftBytes -= bytes.length) < 0) return this.#cutRequest();
    // It answered and closed: the rest of the request has no destination any more.
    if (this.#connection.destroyed) return this.#stream.consumed(bytes.length);
    if (this.#isChunked) this.#connection.give(Buffer.from(`${bytes.length.toString(16)}\r\n`, "latin1"), 0);
    this.#connection.give(detached(bytes), bytes.length);
    if (this.#isChunked) this.#connection.give(lineEnd, 0);
  }

  onTrailers(trailers: FlatHeaders): void {
    this.#trailers = trailers;
  }

  onEnd(): void {
    if (this.#leftBytes) return this.#cutRequest();
    this.#isRequestDone = true;
    if (this.#isSwitched) return this.#connection.give(null, 0);
    if (this.#isChunked) this.#connection.give(Buffer.from(`0\r\n${headerLines(this.#trailers)}\r\n`, "latin1"), 0);
    this.#releaseIfDone();
  }

  onDrain(): void {
    this.#mayWrite = true;
    this.#connection.resumeWriting();
  }

  /** The visitor left, or the link is gone. */
  onReset(): void {
    this.#connection.destroy();
  }

  // Of the server:

  onWritten(chunk: Buffer | string, encoding: BufferEncoding): boolean {
    try {
      this.#response.push(chunk, encoding);
    } catch (error) {
      this.#stream.resetAndReport(ResetCode.LOCAL_RESET, (error as Error).message);
    }
    // Behind the end of a response there is nothing to hold back.
    return this.#mayWrite || this.#response.isDone;
  }

  onTaken(bytes: number): void {
    this.#stream.consumed(bytes);
  }

  onEnded(): void {
    if (!this.#response.end()) this.#broken();
  }

  onClosed(): void {
    if (!this.#response.isDone || (this.#isSwitched && !this.#connection.readableEnded)) this.#broken();
  }

  #broken(): void {
    this.#stream.reset(ResetCode.LOCAL_RESET, "The local service broke off.");
  }

  // Of the response:

  onResponseHead(head: ResponseHead): void {
    const { status } = head;
    this.#isSwitched = this.#isUpgrade && status === 101;
    if (status === 101 && !this.#isSwitched) throw new Error("The server switches, and was not asked to.");
    if (this.#isSwitched) this.#leftBytes = undefined;
    const flags = this.#isSwitched ? flagUpgrade : status < 200 ? flagInfo : 0;
    const headers = this.#isSwitched
      ? upgradeHeaders(head.headers, valueOf(head.headers, "upgrade") ?? "")
      : endToEndHeaders(head.headers);
    this.#stream.sendHead(encodeResponseHead({ ...head, headers }), flags);
  }

  onBody(bytes: Buffer): void {
    if (!this.#stream.write(bytes)) this.#mayWrite = this.#stream.isClosed;
  }

  onWhole(trailers: FlatHeaders): void {
    this.#stream.end(trailers.length === 0 ? undefined : trailers);
    this.#releaseIfDone();
  }

  /** What is too much would be another request to the server, and what is missing the next visitor's. */
  #cutRequest(): void {
    this.#stream.resetAndReport(ResetCode.BODY_LENGTH, "The request has another length than its head says.");
  }

  #releaseIfDone(): void {
    if (!this.#isRequestDone || !this.#response.isDone || this.#response.isLast || this.#isUpgrade) return;
    this.#connections.release(this.#connection);
  }
}

const lineEnd = /* @__PURE__ */ Buffer.from("\r\n");

const headerLines = (headers: FlatHeaders): string =>
  pairsOf(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
