import { cancellationError } from "../../../errors/cancellation";
import { requestAborted, serverClosing } from "../../../errors/wireErrors";
import { enterSlots, type ContextSlots } from "../../../platform/contextScope";
import type { RequestTrace } from "../../../runtime/tracing";
import { targetPath } from "../../../tunnels/protocol/paths";
import type { RequestDescription, WireBody, WireEdge, WireRequest, WireTarget } from "../../../tunnels/protocol/wire";
import type { Beating } from "./beats";
import type { AddressedCall } from "./callsByAddress";
import type { ReplyTarget } from "./natsReply";

/**
 * A call that came over NATS, with all that its server notes of it.
 *
 * A class with a lazy signal, because one is made per call and most tasks look at no signal.
 */
export class NatsCall implements WireRequest, WireEdge, ReplyTarget, Beating, AddressedCall<NatsCall> {
  readonly target: WireTarget;
  readonly headers: Record<string, string | string[]>;
  readonly body: WireBody;
  /** Where its reply goes; also what names it when it is cancelled. */
  readonly address: string;
  readonly requestId: string;
  readonly isLong: boolean;
  isHeard = false;
  place = -1;
  next: NatsCall | undefined;
  /** Whether an event is heard that this run has sent itself. */
  hearsOwn = false;
  /** What is published of it. */
  observed: RequestTrace | undefined;
  #slots: ContextSlots | undefined;
  #aborter: AbortController | undefined;
  #reason: string | undefined;
  #isShutDown = false;

  constructor(parts: Pick<NatsCall, "target" | "headers" | "body" | "address" | "requestId" | "isLong">) {
    this.target = parts.target;
    this.headers = parts.headers;
    this.body = parts.body;
    this.address = parts.address;
    this.requestId = parts.requestId;
    this.isLong = parts.isLong;
  }

  /** Id of the task or event. */
  get id(): string {
    return this.target.id;
  }

  get edge(): WireEdge {
    return this;
  }

  get isShutDown(): boolean {
    return this.#isShutDown;
  }

  /** Aborts when the caller cancels, and when the server closes and waits no longer. */
  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.#reason !== undefined) this.#aborter.abort(cancellationError.create({ reason: this.#reason }));
    }
    return this.#aborter.signal;
  }

  /** The caller has left. */
  cancel(): void {
    this.#abort(requestAborted.message);
  }

  shutDown(): void {
    this.#isShutDown = true;
    this.#abort(serverClosing.message);
  }

  describe(): RequestDescription {
    const path = targetPath(this.target);
    return { headers: { ...this.headers }, method: "POST", url: path, path };
  }

  /** A broker does not tell where a message comes from. */
  isLocal(): boolean {
    return false;
  }

  failureAddress(): undefined {
    return undefined;
  }

  isRepeated(header: string): boolean {
    return Array.isArray(this.headers[header]);
  }

  enter(contexts: ContextSlots | undefined): ContextSlots | undefined {
    return (this.#slots = contexts);
  }

  isReplyTaken(): boolean {
    return false;
  }

  abandonReply(): void {}

  #abort(reason: string): void {
    this.#reason ??= reason;
    const aborter = this.#aborter;
    // Its listeners are the task's.
    if (aborter !== undefined && !aborter.signal.aborted) {
      enterSlots(this.#slots, () => aborter.abort(cancellationError.create({ reason })));
    }
  }
}
