import { chunksOf } from "../../protocol/chunksOf";
import type { Transport, WireHeaders, WireRequest, WireResponse } from "../../protocol/wire";
import { copyFailure, lostBatch } from "./batchFailures";
import type { BatchTransport } from "./batchParts";
import { batchType, idHeader } from "./batchWords";
import type { CallLine } from "./callLine";
import { readReplyLines, type LineReply } from "./replyLines";

/** One call that waits for its reply. */
export interface WaitingCall {
  readonly request: WireRequest;
  readonly line: CallLine;
  readonly resolve: (response: WireResponse) => void;
  readonly reject: (reason: unknown) => void;
  /** Stops following the signal of the call. */
  unlink: (() => void) | undefined;
}

/** Sends a call by itself. */
export function sendAlone(send: Transport, { request, resolve, reject }: WaitingCall): void {
  try {
    send(request).then(resolve, reject);
  } catch (error) {
    reject(error);
  }
}

/** The calls of one request. They are numbered in the order in which they were made. */
export class CallBatch {
  readonly #headers: WireHeaders;
  readonly #transport: BatchTransport;
  readonly #calls: (WaitingCall | undefined)[] = [];
  /** How many are not answered. */
  #open = 0;
  #bytes = 0;
  #aborter: AbortController | undefined;

  /** @param headers of the request */
  constructor(headers: WireHeaders, transport: BatchTransport) {
    this.#headers = headers;
    this.#transport = transport;
  }

  get size(): number {
    return this.#calls.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(call: WaitingCall): void {
    const n = this.#calls.push(call) - 1;
    const { signal } = call.request;
    this.#open += 1;
    this.#bytes += call.line.bytes;
    if (signal === undefined) return;
    const abandon = (): void => this.#abandon(n, signal.reason);
    if (signal.aborted) return abandon();
    signal.addEventListener("abort", abandon, { once: true });
    call.unlink = () => signal.removeEventListener("abort", abandon);
  }

  /** Sends the calls that are still wanted. */
  async send(): Promise<void> {
    if (this.#open < 2) return this.#sendEachAlone();
    let text = "";
    let n = 0;
    for (const call of this.#calls) {
      if (call !== undefined) {
        const { path, headers, body } = call.line;
        text += `${n} ${path} ${headers} ${body}\n`;
        if (call.request.signal !== undefined) this.#aborter ??= new AbortController();
      }
      n += 1;
    }
    let response: WireResponse;
    try {
      response = await this.#transport.sendAlone({
        target: { kind: "batch", id: "" },
        headers: this.#headers,
        body: { kind: "text", read: () => text },
        signal: this.#aborter?.signal,
      });
    } catch (error) {
      this.#failOpen(() => copyFailure(this.#transport, error));
      return;
    }
    await this.#read(response);
  }

  async #read(response: WireResponse): Promise<void> {
    const { status, contentType, body } = response;
    const transport = this.#transport;
    if (status === 200 && isBatch(contentType)) {
      const requestId = response.headers?.[idHeader]?.toString();
      let cause: unknown;
      try {
        await readReplyLines(body, transport.maxReplyBytes, (reply) => this.#answer(reply, requestId));
      } catch (error) {
        cause = error;
      }
      this.#failOpen(() => lostBatch(transport, requestId, cause));
    } else if (isNotFound(response)) {
      transport.onUnsupported();
      this.#sendEachAlone();
    } else if (status < 300 || body.kind !== "text") {
      // A success that is no batch has nothing to say of its calls.
      if (body.kind === "stream") void chunksOf(body.stream).return?.();
      this.#failOpen(() => notABatch(transport, response));
    } else {
      // Whatever kept the batch from being read kept each of its calls.
      for (let n = 0; n < this.#calls.length; n += 1) this.#take(n)?.resolve(response);
    }
  }

  /** @returns whether more replies are expected */
  #answer({ n, status, text }: LineReply, batchId: string | undefined): boolean {
    if (status === 406 && hasNotRun(text)) {
      const id = this.#calls[n]?.request.target.id;
      if (id !== undefined) this.#transport.onSingle(id);
      this.#sendAlone(n);
      return this.#open > 0;
    }
    // It may have been given up.
    const call = this.#take(n);
    if (call !== undefined) {
      const id = call.request.headers[idHeader] ?? (batchId === undefined ? undefined : `${batchId}.${n}`);
      const body = { kind: "text", text } as const;
      call.resolve({ status, contentType: "application/json", headers: { [idHeader]: id }, body });
    }
    return this.#open > 0;
  }

  #failOpen(failure: () => unknown): void {
    for (let n = 0; n < this.#calls.length; n += 1) this.#take(n)?.reject(failure());
  }

  #sendEachAlone(): void {
    for (let n = 0; n < this.#calls.length; n += 1) this.#sendAlone(n);
  }

  #sendAlone(n: number): void {
    const call = this.#take(n);
    if (call !== undefined) sendAlone(this.#transport.sendAlone, call);
  }

  /** Takes a call out, which is then settled by another way. */
  #take(n: number): WaitingCall | undefined {
    const call = this.#calls[n];
    if (call === undefined) return undefined;
    call.unlink?.();
    this.#calls[n] = undefined;
    this.#open -= 1;
    return call;
  }

  /** A call is not waited for any longer. Once none is, the server is told. */
  #abandon(n: number, reason: unknown): void {
    this.#take(n)?.reject(reason);
    if (this.#open === 0) this.#aborter?.abort(reason);
  }
}

/** Only what says so itself serves no batches; any other 404 may come from what stands in front of a server that does. */
function isNotFound({ status, body }: WireResponse): boolean {
  return status === 404 && body.kind === "text" && errorOf(body.text)?.code === "NOT_FOUND";
}

const hasNotRun = (text: string): boolean => {
  const error = text.includes('"NOT_BATCHABLE"') ? errorOf(text) : undefined;
  return error?.code === "NOT_BATCHABLE" && (error.data as { ran?: unknown } | undefined)?.ran === false;
};

function errorOf(text: string): { readonly code?: unknown; readonly data?: unknown } | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; data?: unknown } };
    return typeof error === "object" ? error : undefined;
  } catch {
    return undefined;
  }
}

const isBatch = (contentType: string | undefined): boolean =>
  contentType?.split(";", 1)[0]?.trim().toLowerCase() === batchType;

const notABatch = ({ TunnelError }: BatchTransport, { status, contentType }: WireResponse): Error =>
  new TunnelError("INVALID_RESPONSE", "The reply to a batch of calls is no batch of replies.", {
    statusCode: status,
    contentType,
  });
