import type { Dispatcher } from "undici";
import { ResetCode } from "../../../relay/codes";
import { encodeResponseHead, type FlatHeaders, type RequestHead } from "../../../relay/framePayloads";
import { flagEnd, flagInfo } from "../../../relay/frames";
import type { MuxStream } from "../../../relay/muxStream";
import type { StreamHandler } from "../../../relay/streamContract";
import type { Undici } from "../../undici";
import { endToEndHeaders } from "../headers";
import { lengthOf, valueOf } from "./serviceRequest";

type Controller = Dispatcher.DispatchController;
type DispatchHandler = Dispatcher.DispatchHandler;

/** Where a local HTTP service is. */
export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
  /** How long to wait for a connection, in ms. */
  readonly connectTimeoutMs: number;
}

/** Requests to a service over connections of undici, which take half the work of those of `node:http`. */
export interface ServicePool {
  /** Whether it has room for this exchange, and can carry such a one. */
  takes(head: RequestHead, flags: number): boolean;
  /** @param headers what the service is sent, names and values in turn */
  send(stream: MuxStream, head: RequestHead, headers: readonly string[]): void;
  close(): void;
}

/** Connections of the pool: it keeps what it has of each, and looks at all of them for a free one. */
const maxConnections = 64;

export function servicePool({ Pool }: Undici, { host, port, connectTimeoutMs }: ServiceAddress): ServicePool {
  const pool = new Pool(`http://${host.includes(":") ? `[${host}]` : host}:${port}`, {
    connections: maxConnections,
    connectTimeout: connectTimeoutMs,
    // How long a service may take is for the relay to say.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  let running = 0;
  const onOver = (): void => void (running -= 1);
  return {
    takes: (head, flags) => running < maxConnections && isPlain(head, flags),
    send(stream, { target }, headers) {
      running += 1;
      pool.dispatch({ path: target, method: "GET", headers: headers as string[] }, new PooledExchange(stream, onOver));
    },
    close: () => void pool.destroy(),
  };
}

/** undici writes the framing of bodies itself, closes connections after HEAD, and knows no `Expect`. */
const isPlain = ({ method, headers }: RequestHead, flags: number): boolean =>
  method === "GET" && flags === flagEnd && !lengthOf(headers) && valueOf(headers, "expect") === undefined;

/** One exchange. A class, because one is made per request. */
class PooledExchange implements DispatchHandler, StreamHandler {
  readonly #stream: MuxStream;
  readonly #onOver: () => void;
  #controller: Controller | undefined;
  #isLeft = false;

  constructor(stream: MuxStream, onOver: () => void) {
    this.#stream = stream;
    this.#onOver = onOver;
    stream.handler = this;
  }

  onDrain(): void {
    this.#controller?.resume();
  }

  /** The visitor left, or the link is gone. */
  onReset(): void {
    this.#isLeft = true;
    this.#controller?.abort(new Error("The visitor left."));
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    // While it waited for a connection.
    if (this.#isLeft) controller.abort(new Error("The visitor left."));
  }

  onResponseStart(
    controller: Controller,
    status: number,
    { "content-length": declared }: Readonly<Record<string, string | string[] | undefined>>,
    reason = "",
  ): void {
    const headers = endToEndHeaders(textOf(controller.rawHeaders));
    const contentLength = declared === undefined ? undefined : Number(declared);
    this.#stream.sendHead(encodeResponseHead({ status, reason, headers, contentLength }), status < 200 ? flagInfo : 0);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (!this.#stream.write(chunk) && !this.#stream.isClosed) controller.pause();
  }

  onResponseEnd({ rawTrailers }: Controller): void {
    this.#onOver();
    const trailers = textOf(rawTrailers);
    this.#stream.end(trailers.length === 0 ? undefined : trailers);
  }

  onResponseError(_controller: Controller, error: NodeJS.ErrnoException): void {
    this.#onOver();
    if (error.code === "UND_ERR_CONNECT_TIMEOUT") {
      return this.#stream.reset(ResetCode.TIMEOUT, "The local service does not accept the connection.");
    }
    const code = this.#controller === undefined ? ResetCode.LOCAL_CONNECT_FAILED : ResetCode.LOCAL_RESET;
    this.#stream.reset(code, error.code ?? error.message);
  }
}

/** Names and values in turn, as they came. */
function textOf(raw: Controller["rawHeaders"]): FlatHeaders {
  return Array.isArray(raw) ? raw.map((bytes: Buffer | string) => bytes.toString("latin1" as never)) : [];
}
