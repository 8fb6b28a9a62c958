import { chunksOf } from "../../protocol/chunksOf";
import type { WireHeaders, WireRequest, WireResponse } from "../../protocol/wire";
import { copyFailure, lostBatch } from "./batchFailures";
import type { BatchTransport } from "./batchParts";
import { batchType, idHeader } from "./batchWords";
import type { CallLine } from "./callLine";
import { readReplyLines, type LineReply } from "./replyLines";

/** One call that waits for its reply. */
interface Member {
  readonly request: WireRequest;
  readonly line: CallLine;
  readonly resolve: (response: WireResponse | Promise<WireResponse>) => void;
  readonly reject: (reason: unknown) => void;
  readonly unlink: () => void;
}

/** The calls of one request. They are numbered in the order in which they were made. */
export class CallBatch {
  readonly #headers: WireHeaders;
  readonly #transport: BatchTransport;
  readonly #members: (Member | undefined)[] = [];
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
    return this.#members.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(request: WireRequest, line: CallLine): Promise<WireResponse> {
    return new Promise((resolve, reject) => {
      const n = this.#members.length;
      const { signal } = request;
      this.#open += 1;
      this.#bytes += line.bytes;
      const member: Member = { request, line, resolve, reject, unlink: () => unlink() };
      this.#members.push(member);
      const unlink = signal === undefined ? nothing : this.#follow(signal, n);
    });
  }

  #follow(signal: AbortSignal, n: number): () => void {
    const abandon = (): void => this.#abandon(n, signal.reason);
    if (signal.aborted) abandon();
    else signal.addEventListener("abort", abandon, { once: true });
    return () => signal.removeEventListener("abort", abandon);
  }

  /** Sends the calls that are still wanted. */
  async send(): Promise<void> {
    const wanted = [...this.#wanted()];
    const [first] = wanted;
    if (first === undefined) return;
    if (wanted.length === 1) {
      this.#sendAlone(...first);
      return;
    }
    if (wanted.some(([, { request }]) => request.signal !== undefined)) this.#aborter = new AbortController();
    const text = wanted.map(([n, { line }]) => `${n} ${line.text}`).join("");
    let response: WireResponse;
    try {
      response = await this.#transport.sendAlone({
        target: { kind: "batch", id: "" },
        headers: this.#headers,
        body: { kind: "text", read: () => text },
        signal: this.#aborter?.signal,
      });
    } catch (error) {
      for (const [n, member] of this.#wanted())
        this.#settle(n, () => member.reject(copyFailure(this.#transport, error)));
      return;
    }
    await this.#read(response);
  }

  *#wanted(): Generator<[n: number, member: Member]> {
    for (const [n, member] of this.#members.entries()) if (member !== undefined) yield [n, member];
  }

  async #read(response: WireResponse): Promise<void> {
    const { status, contentType, body } = response;
    if (status === 200 && isBatch(contentType)) {
      const requestId = response.headers?.[idHeader]?.toString();
      let cause: unknown;
      try {
        await readReplyLines(body, this.#transport.maxReplyBytes, (reply) => this.#answer(reply, requestId));
      } catch (error) {
        cause = error;
      }
      for (const [n, { reject }] of this.#wanted())
        this.#settle(n, () => reject(lostBatch(this.#transport, requestId, cause)));
      return;
    }
    if (isNotFound(response)) {
      this.#transport.onUnsupported();
      for (const [n, member] of this.#wanted()) this.#sendAlone(n, member);
      return;
    }
    // Whatever kept the batch from being read kept each of its calls. A success that is no batch has nothing to say of them.
    if (body.kind === "stream") void chunksOf(body.stream).return?.();
    const isNoReply = status < 300 || body.kind !== "text";
    for (const [n, { resolve, reject }] of this.#wanted()) {
      this.#settle(n, () => (isNoReply ? reject(notABatch(this.#transport, response)) : resolve(response)));
    }
  }

  /** @returns whether more replies are expected */
  #answer({ n, status, text }: LineReply, batchId: string | undefined): boolean {
    const member = this.#members[n];
    // It was given up, or there is none.
    if (member === undefined) return this.#open > 0;
    if (status === 406 && hasNotRun(text)) {
      this.#transport.onSingle(member.request.target.id);
      this.#sendAlone(n, member);
      return this.#open > 0;
    }
    const own = member.request.headers[idHeader] ?? (batchId === undefined ? undefined : `${batchId}.${n}`);
    const headers = { [idHeader]: own };
    this.#settle(n, () =>
      member.resolve({ status, contentType: "application/json", headers, body: { kind: "text", text } }),
    );
    return this.#open > 0;
  }

  #sendAlone(n: number, { request, resolve }: Member): void {
    this.#settle(n, () => resolve(this.#transport.sendAlone(request)));
  }

  #settle(n: number, how: () => void): void {
    this.#members[n]?.unlink();
    this.#members[n] = undefined;
    this.#open -= 1;
    how();
  }

  /** A call is not waited for any longer. Once none is, the server is told. */
  #abandon(n: number, reason: unknown): void {
    const member = this.#members[n];
    if (member === undefined) return;
    this.#settle(n, () => member.reject(reason));
    if (this.#open === 0) this.#aborter?.abort(reason);
  }
}

const nothing = (): void => {};

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
