import { requestAborted } from "../../errors/wireErrors";
import type { Drain } from "../../lib/drain";
import type { RequestTrace } from "../../runtime/tracing";
import type { FetchCall } from "./fetchCall";
import type { FetchReplyOwner } from "./fetchReply";
import { declaredBytes, FetchText } from "./fetchText";
import { FetchFormBody } from "./form/fetchFormBody";
import type { CutBody } from "./streamBody";
import type { WaitingCalls } from "./waitingCalls";

/** One request from its arrival to the end of its reply and of what it started. */
export class ServedRequest implements FetchReplyOwner {
  readonly origin: string | undefined;
  readonly requestId: string;
  /** What is published of it. */
  observed: RequestTrace | undefined;
  /** Called at the end of the reply, where something is published. */
  onReplied: (() => void) | undefined;
  readonly #drain: Drain;
  readonly #waiting: WaitingCalls;
  #call: FetchCall | undefined;
  /** The reply has ended. */
  #isReplied = false;
  /** The task has settled. */
  #isSettled = false;
  #isCounted = false;
  #isStreaming = false;
  /** Called once both have. */
  #onDone: (() => void) | undefined;

  constructor(origin: string | undefined, requestId: string, drain: Drain, waiting: WaitingCalls) {
    this.origin = origin;
    this.requestId = requestId;
    this.#drain = drain;
    this.#waiting = waiting;
  }

  get isReplied(): boolean {
    return this.#isReplied;
  }

  /** It takes a place from here on, until both its reply and its task have ended. */
  admit(call: FetchCall): void {
    this.#call = call;
    this.#isCounted = true;
    this.#waiting.add(call);
    this.#drain.enter();
  }

  onStreaming(cut: CutBody, released: Promise<unknown>): void {
    this.#isStreaming = true;
    const call = this.#call;
    if (call === undefined) return;
    call.cutReply = cut;
    // Workers end what a request has started with its caller, before a generator could release what it reads.
    if (typeof call.info.waitUntil === "function") {
      const done = new Promise<void>((resolve) => (this.#onDone = resolve));
      call.info.waitUntil(done.then(() => released));
    }
  }

  onLeft(): void {
    this.#call?.giveUp();
  }

  onEnd(): void {
    this.#isReplied = true;
    if (this.observed !== undefined) this.#describe(this.observed);
    this.onReplied?.();
    if (this.#call === undefined) return;
    this.#waiting.delete(this.#call);
    this.#call.end();
    if (this.#call.body instanceof FetchFormBody) this.#call.body.release();
    this.#leave();
  }

  /** What the reply does not know of itself. */
  #describe(observed: RequestTrace): void {
    const call = this.#call;
    observed.bytesIn = call === undefined ? 0 : arrivedBytes(call);
    if (this.#isStreaming || call?.hasCallerLeft !== true) return;
    observed.status = requestAborted.status;
    observed.code ??= requestAborted.code;
  }

  settle(): void {
    this.#isSettled = true;
    this.#leave();
  }

  finish<R extends Response | undefined>(response?: R): R {
    this.settle();
    if (!this.#isReplied) this.onEnd();
    return response as R;
  }

  #leave(): void {
    if (!this.#isReplied || !this.#isSettled || !this.#isCounted) return;
    this.#isCounted = false;
    this.#call?.settle();
    this.#drain.leave();
    this.#onDone?.();
  }
}

/** Of raw bytes, which the task reads by itself, what the sender says. */
function arrivedBytes({ body, request }: FetchCall): number | undefined {
  return body instanceof FetchText || body instanceof FetchFormBody ? body.arrivedBytes : declaredBytes(request);
}
