import type { Dispatcher, Pool } from "undici";
import { normalizeError } from "../../errors/normaliseThrown";
import { clientClosed, type Carrier, type CloseOptions } from "../../tunnels/client/carrier";
import { targetPath } from "../../tunnels/protocol/paths";
import { defaultReplyBytes } from "../../tunnels/protocol/replyLimit";
import { createByteCounter, type ByteCounter } from "../../tunnels/protocol/progress";
import type { Transport, WireRequest, WireResponse } from "../../tunnels/protocol/wire";
import { importCommonJs } from "../commonJs";
import { gzipText, type ClientCompression } from "./clientCompression";
import { acceptEncoding } from "./contentDecoding";
import { readEndpoint } from "./endpoint";
import { ReplyText } from "./replyText";

export interface PoolCarrierConfig {
  readonly baseUrl: string;
  /** Most connections at a time; further calls wait for one. Default 128. */
  readonly maxConnections?: number | undefined;
  /** Largest reply, decompressed, in bytes. Default 256 MiB. */
  readonly maxReplyBytes?: number | undefined;
  readonly compression?: ClientCompression | undefined;
}

/**
 * Sends JSON calls over a keep-alive pool of connections, at a fraction of what fetch costs. Redirects are not
 * followed. undici is loaded at the first call: it takes some 50 ms, once per process.
 */
export function poolCarrier(config: PoolCarrierConfig): Carrier {
  const { baseUrl, maxConnections = 128, maxReplyBytes = defaultReplyBytes, compression = {} } = config;
  let pool: Pool | undefined;
  let opening: Promise<Pool> | undefined;
  let basePath = "";
  let isClosed = false;

  async function open(): Promise<Pool> {
    const endpoint = readEndpoint(baseUrl);
    const undici = await importCommonJs(() => import("undici"));
    basePath = endpoint.basePath;
    // Only `timeoutMs` and the signal of a call decide how long it may take.
    return (pool = new undici.Pool(endpoint.origin, {
      connections: maxConnections,
      headersTimeout: 0,
      bodyTimeout: 0,
    }));
  }

  function dispatch(to: Pool, request: WireRequest, body: string | Buffer): Promise<WireResponse> {
    if (isClosed) return Promise.reject(clientClosed());
    return new Promise((resolve, reject) => {
      const { target, headers } = request;
      const call = new PoolCall(request, body, maxReplyBytes, { resolve, reject });
      to.dispatch({ path: basePath + targetPath(target), method: "POST", headers: headers as {}, body }, call);
    });
  }

  const sendText: Transport = (request) => {
    const { body } = request;
    if (body.kind !== "text") throw new TypeError(`The pool cannot send a ${body.kind} body.`);
    const text = body.read();
    // Nothing to await on the way of almost every call.
    if (pool !== undefined && typeof text === "string") return dispatch(pool, request, text);
    if (isClosed) return Promise.reject(clientClosed());
    return Promise.all([(opening ??= open()), text]).then(([opened, read]) => dispatch(opened, request, read));
  };

  const sendCompressed: Transport = async (request) => {
    const { body } = request;
    if (body.kind !== "text") throw new TypeError(`The pool cannot send a ${body.kind} body.`);
    const headers = { ...request.headers };
    if (compression.responses === true) headers["accept-encoding"] ??= acceptEncoding;
    let content: string | Buffer = await body.read();
    if (compression.requests === true) {
      content = await gzipText(content);
      headers["content-encoding"] = "gzip";
    }
    if (isClosed) throw clientClosed();
    return dispatch(await (opening ??= open()), { ...request, headers }, content);
  };

  return {
    accepts: { abort: true, streams: textOnly, files: textOnly, nodeFiles: textOnly },
    send: compression.requests === true || compression.responses === true ? sendCompressed : sendText,
    async close({ signal }: CloseOptions = {}) {
      isClosed = true;
      const opened = await opening?.catch(() => undefined);
      if (opened === undefined) return;
      const destroy = (): void => void opened.destroy(clientClosed());
      if (signal?.aborted === true) return opened.destroy(clientClosed());
      signal?.addEventListener("abort", destroy, { once: true });
      try {
        if (!opened.destroyed) await opened.close();
      } finally {
        signal?.removeEventListener("abort", destroy);
      }
    },
  };
}

const textOnly = "The pool sends text only.";

type DispatchHandler = Dispatcher.DispatchHandler;
type Headers = Readonly<Record<string, string | string[] | undefined>>;

interface Settling {
  readonly resolve: (response: WireResponse) => void;
  readonly reject: (reason: unknown) => void;
}

/** One call: undici calls it for what happens on the connection. A class, since a call makes one. */
class PoolCall implements DispatchHandler {
  readonly #request: WireRequest;
  readonly #body: string | Buffer;
  readonly #limitBytes: number;
  readonly #resolve: Settling["resolve"];
  readonly #reject: Settling["reject"];
  readonly #onAbort: (() => void) | undefined;
  #text: ReplyText | undefined;
  #counter: ByteCounter | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #statusText: string | undefined;
  #headers: Headers = {};

  constructor(request: WireRequest, body: string | Buffer, limitBytes: number, { resolve, reject }: Settling) {
    this.#request = request;
    this.#body = body;
    this.#limitBytes = limitBytes;
    this.#resolve = resolve;
    this.#reject = reject;
    if (request.signal !== undefined) {
      this.#onAbort = () => this.#abort(request.signal?.reason);
      request.signal.addEventListener("abort", this.#onAbort, { once: true });
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    const { signal } = this.#request;
    // Aborted while it waited for a connection.
    if (signal?.aborted === true) controller.abort(normalizeError(signal.reason));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Headers,
    statusText?: string,
  ): void {
    // An informational one, as 103, comes before the one that counts.
    if (status < 200) return;
    this.#status = status;
    this.#statusText = statusText;
    this.#headers = headers;
    this.#text = new ReplyText({
      status,
      // A list, where the far side repeats a header.
      contentType: headers["content-type"]?.toString(),
      encoding: headers["content-encoding"]?.toString(),
      limitBytes: this.#limitBytes,
    });
    const { onProgress, onDownloadProgress } = this.#request;
    if (onProgress !== undefined) {
      const sentBytes = Buffer.byteLength(this.#body);
      onProgress({ sentBytes, totalBytes: sentBytes });
    }
    if (onDownloadProgress !== undefined) {
      const totalBytes = Number(headers["content-length"]) || undefined;
      this.#counter = createByteCounter((receivedBytes) => onDownloadProgress({ receivedBytes, totalBytes }));
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#counter?.add(chunk.byteLength);
    try {
      if (this.#text?.add(chunk) !== false) return;
    } catch (error) {
      this.#abort(error);
      return;
    }
    this.onResponseEnd();
    controller.abort(new Error("The rest of the reply is not needed."));
  }

  onResponseEnd(): void {
    this.#stopListening();
    this.#counter?.finish();
    const text = this.#text?.end() ?? "";
    if (typeof text === "string") this.#answer(text);
    else text.then((decoded) => this.#answer(decoded), this.#reject);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#stopListening();
    this.#reject(error);
  }

  #answer(text: string): void {
    const contentType = this.#headers["content-type"]?.toString();
    const body = { kind: "text", text } as const;
    this.#resolve({ status: this.#status, statusText: this.#statusText, contentType, headers: this.#headers, body });
  }

  #abort(reason: unknown): void {
    this.#stopListening();
    this.#reject(reason);
    this.#controller?.abort(normalizeError(reason));
  }

  #stopListening(): void {
    if (this.#onAbort !== undefined) this.#request.signal?.removeEventListener("abort", this.#onAbort);
  }
}
