import type { WireFailure } from "../../errors/wireErrors";
import { OneSlot, type ContextSlots } from "../../platform/contextScope";
import type { BatchEdge, WireRequest } from "../../tunnels/protocol/wire";
import { BatchedContext } from "./batchedContext";
import { exposureContextId } from "./exposureContext";
import type { IncomingCall } from "./incomingCall";

/** What the batches of one exposure have in common. */
export interface BatchPolicy extends Pick<BatchEdge, "budget" | "requests" | "onUnhandled"> {
  readonly basePath: string;
  /** Why there is no place for one more call. */
  readonly refusalOf: () => WireFailure | undefined;
  /** Counts calls whose caller waits. */
  readonly countWaiting: (change: 1 | -1) => void;
  /** Counts calls that are served. */
  readonly countRunning: (change: 1 | -1) => void;
}

/** The calls that one request has brought. The first one takes the place of the request, each further one another. */
export class IncomingBatch implements BatchEdge {
  readonly budget: BatchEdge["budget"];
  readonly requests: BatchEdge["requests"];
  readonly onUnhandled: BatchEdge["onUnhandled"];
  readonly #call: IncomingCall;
  readonly #policy: BatchPolicy;
  #open = 0;
  #hasCallerLeft = false;

  constructor(call: IncomingCall, policy: BatchPolicy) {
    this.#call = call;
    this.#policy = policy;
    this.budget = policy.budget;
    this.requests = policy.requests;
    this.onUnhandled = policy.onUnhandled;
    call.reply.res.once("close", () => this.#leaveWaiting());
  }

  enter(): WireFailure | undefined {
    // From here on its calls are what is published.
    this.#call.reply.observed = undefined;
    if (this.#open > 0) {
      const refusal = this.#policy.refusalOf();
      if (refusal !== undefined) return refusal;
      if (!this.#hasCallerLeft) this.#policy.countWaiting(1);
    }
    // The request may be over before its calls are.
    this.#policy.countRunning(1);
    this.#open += 1;
    return undefined;
  }

  leave(): void {
    this.#open -= 1;
    if (this.#open > 0 && !this.#hasCallerLeft) this.#policy.countWaiting(-1);
    this.#policy.countRunning(-1);
  }

  slotsOf(line: WireRequest, contexts: ContextSlots | undefined): ContextSlots {
    const context = new BatchedContext(line, this.#call, this.#policy.basePath);
    return contexts === undefined
      ? new OneSlot(exposureContextId, context)
      : new Map([...contexts, [exposureContextId, context]]);
  }

  /** A caller that leaves gives its places back at once, whatever its calls are doing. */
  #leaveWaiting(): void {
    this.#hasCallerLeft = true;
    for (let open = this.#open; open > 1; open -= 1) this.#policy.countWaiting(-1);
  }
}
