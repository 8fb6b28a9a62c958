import { allowManyListeners } from "../../../platform/manyListeners";
import { enterSlots, type ContextSlots } from "../../../platform/contextScope";
import type { RequestTrace } from "../../../runtime/tracing";
import { isUsableRequestId, requestIdHeader } from "../../protocol/headers";
import {
  textBody,
  type BatchEdge,
  type TextBody,
  type WireEdge,
  type WireHeaders,
  type WireRequest,
  type WireTarget,
} from "../../protocol/wire";
import type { Caller } from "../authenticate";
import type { SentCall } from "./readBatch";

/** What the calls of one batch have in common. */
export interface SharedByBatch {
  /** The request that brought them. */
  readonly request: WireRequest;
  readonly caller: Caller;
  readonly edge: BatchEdge | undefined;
}

/**
 * One call of a batch, which was authenticated with it.
 *
 * A class with a lazy signal, because one is made per call and most tasks look at no signal.
 */
export class BatchLine implements WireRequest, WireEdge {
  readonly n: number;
  readonly target: WireTarget;
  readonly headers: WireHeaders;
  readonly body: TextBody;
  observed: RequestTrace | undefined;
  readonly #shared: SharedByBatch;
  #slots: ContextSlots | undefined;
  #aborter: AbortController | undefined;
  #unlink: (() => void) | undefined;
  #isOver = false;

  constructor({ n, target, headers, text }: SentCall, shared: SharedByBatch) {
    this.n = n;
    this.target = target;
    const id = idOf(n, headers, shared.request);
    this.headers = headers === undefined ? { [requestIdHeader]: id } : { ...headers, [requestIdHeader]: id };
    this.body = textBody(text);
    this.#shared = shared;
  }

  get caller(): Caller {
    return this.#shared.caller;
  }

  /** The request that brought the batch. */
  get request(): WireRequest {
    return this.#shared.request;
  }

  get requestId(): string {
    return this.headers[requestIdHeader] as string;
  }

  get edge(): WireEdge | undefined {
    return this.request.edge === undefined ? undefined : this;
  }

  /** Aborts when the caller of the batch leaves before this call was answered, and when the server waits no longer. */
  get signal(): AbortSignal | undefined {
    if (this.#aborter !== undefined) return this.#aborter.signal;
    const { signal } = this.request;
    if (signal === undefined) return undefined;
    const aborter = (this.#aborter = new AbortController());
    // Its listeners are the task's.
    const abort = (): void => enterSlots(this.#slots, () => aborter.abort(signal.reason));
    if (signal.aborted) abort();
    else if (!this.#isOver) {
      allowManyListeners(signal);
      signal.addEventListener("abort", abort, { once: true });
      this.#unlink = () => signal.removeEventListener("abort", abort);
    }
    return aborter.signal;
  }

  /** It was answered: what becomes of the batch is no abort of the call. */
  end(): void {
    this.#isOver = true;
    this.#unlink?.();
  }

  get isShutDown(): boolean {
    return this.request.edge?.isShutDown === true;
  }

  enter(contexts: ContextSlots | undefined): ContextSlots | undefined {
    const { edge } = this.#shared;
    return (this.#slots = edge === undefined ? contexts : edge.slotsOf(this, contexts));
  }

  describe(): ReturnType<WireEdge["describe"]> {
    return (this.request.edge as WireEdge).describe();
  }

  isLocal(): ReturnType<WireEdge["isLocal"]> {
    return (this.request.edge as WireEdge).isLocal();
  }

  failureAddress(): string | undefined {
    return this.request.edge?.failureAddress();
  }

  isRepeated(): boolean {
    return false;
  }

  /** The reply is the batch's: a task that asks for it is refused. */
  isReplyTaken(): boolean {
    return false;
  }

  abandonReply(): void {}
}

/** Its own, or one that shows which batch it came with. */
function idOf(n: number, own: WireHeaders | undefined, { headers }: WireRequest): string {
  const stated = own?.[requestIdHeader];
  if (typeof stated === "string" && isUsableRequestId(stated)) return stated.trim();
  return `${String(headers[requestIdHeader] ?? "batch")}.${n}`;
}
