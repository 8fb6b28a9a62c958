import { notBatchable, type WireFailure } from "../../errors/wireErrors";
import type { Drain } from "../../lib/drain";
import { hasContextScope, OneSlot, type ContextSlots } from "../../platform/contextScope";
import { requestIdHeader } from "../protocol/headers";
import type { BatchEdge, WireRequest } from "../protocol/wire";
import { fetchContextId, type FetchCall } from "./fetchCall";
import type { FetchContextOwner } from "./fetchContext";
import type { WaitingCall, WaitingCalls } from "./waitingCalls";

/** What the batches of one fetch edge have in common. */
export interface FetchBatchPolicy extends Pick<BatchEdge, "budget" | "requests" | "onUnhandled"> {
  /** Why there is no place for one more call. */
  readonly refusalOf: () => WireFailure | undefined;
  readonly waiting: Pick<WaitingCalls, "add" | "delete">;
  readonly drain: Pick<Drain, "enter" | "leave">;
}

/** The calls that one request has brought. The first one takes the place of the request, each further one another. */
export class FetchBatch implements BatchEdge {
  readonly budget: BatchEdge["budget"];
  readonly requests: BatchEdge["requests"];
  readonly onUnhandled: BatchEdge["onUnhandled"];
  readonly #call: FetchCall;
  readonly #policy: FetchBatchPolicy;
  readonly #onBegun: () => void;
  /** Those of further calls. */
  readonly #places: WaitingCall[] = [];
  #open = 0;

  /** @param onBegun called when its calls are served, so that nothing is published of the request itself */
  constructor(call: FetchCall, policy: FetchBatchPolicy, onBegun: () => void) {
    this.#call = call;
    this.#onBegun = onBegun;
    this.#policy = policy;
    this.budget = policy.budget;
    this.requests = policy.requests;
    this.onUnhandled = policy.onUnhandled;
  }

  enter(): WireFailure | undefined {
    this.#onBegun();
    if (this.#open > 0) {
      const refusal = this.#policy.refusalOf();
      if (refusal !== undefined) return refusal;
      const place = new BatchPlace(this.#call);
      this.#places.push(place);
      this.#policy.waiting.add(place);
    }
    // The request may be over before its calls are.
    this.#policy.drain.enter();
    this.#open += 1;
    return undefined;
  }

  leave(): void {
    this.#open -= 1;
    const place = this.#places.pop();
    if (place !== undefined) this.#policy.waiting.delete(place);
    this.#policy.drain.leave();
  }

  slotsOf(line: WireRequest, contexts: ContextSlots | undefined): ContextSlots | undefined {
    if (!hasContextScope()) return undefined;
    const owner = new BatchedFetchCall(line, this.#call);
    return contexts === undefined
      ? new OneSlot(fetchContextId, owner)
      : new Map([...contexts, [fetchContextId, owner]]);
  }
}

/** The place of a call, which its caller gives back by leaving. */
class BatchPlace implements WaitingCall {
  readonly #batch: FetchCall;

  constructor(batch: FetchCall) {
    this.#batch = batch;
  }

  get hasCallerLeft(): boolean {
    return this.#batch.hasCallerLeft;
  }
}

/** A call of a batch, as its task sees the request that it came with. */
class BatchedFetchCall implements FetchContextOwner {
  readonly #line: WireRequest;
  readonly #batch: FetchCall;

  constructor(line: WireRequest, batch: FetchCall) {
    this.#line = line;
    this.#batch = batch;
  }

  get request(): Request {
    return this.#batch.request;
  }

  get info(): FetchCall["info"] {
    return this.#batch.info;
  }

  get requestId(): string {
    return String(this.#line.headers[requestIdHeader]);
  }

  get signal(): AbortSignal {
    // A batch that came by fetch has one.
    return this.#line.signal as AbortSignal;
  }

  respond(): never {
    throw notBatchable(this.#line.target.id, "replies by itself", true);
  }

  keepWorking(work: PromiseLike<unknown>): void {
    this.#batch.keepWorking(work);
  }
}
