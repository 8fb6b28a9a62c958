import type { IncomingMessage } from "node:http";
import { cancellationError } from "../../errors/cancellation";
import { requestAborted, serverClosing } from "../../errors/wireErrors";
import type { MaybePromise } from "../../lib/typeLevel";
import { enterSlots, type ContextSlots } from "../../platform/contextScope";
import type { RequestDescription, WireBody, WireEdge, WireRequest, WireTarget } from "../../tunnels/protocol/wire";
import { isRepeated, valuesOf } from "../server/repeatedHeaders";
import type { ParseCookies } from "./cookies";
import type { OutgoingReply } from "./reply/outgoingReply";
import { pathOf } from "../../tunnels/http/router";

/** What the calls of one exposure have in common. */
export interface CallPolicy {
  /** Headers that may carry credentials, in lower case. */
  readonly credentialHeaders: readonly string[];
  /** Whether a program of this machine sent the request. */
  readonly isLocal: (req: IncomingMessage) => MaybePromise<boolean>;
  /** Whose failures to authenticate count together; absent where they do not count. */
  readonly failureAddress: (req: IncomingMessage) => string | undefined;
  /** Slots a task finds: the request, and the contexts its caller sent. */
  readonly enter: (call: IncomingCall, contexts: ContextSlots | undefined) => ContextSlots;
  /** @param abort called when the server waits for calls no longer. @returns what takes that back */
  readonly onShutdown: (abort: () => void) => () => void;
  /** @param end called when the server takes no further calls. @returns what takes that back */
  readonly onClosing: (end: () => void) => () => void;
  readonly parseCookies: ParseCookies;
  /** Whether a task replied by itself, given what it returned. */
  readonly isReplyTaken: (call: IncomingCall, result: unknown) => boolean;
}

/**
 * A call that came over HTTP, with the request and response it came with.
 *
 * A class with a lazy signal, because one is made per request and most tasks look at no signal.
 */
export class IncomingCall implements WireRequest, WireEdge {
  readonly target: WireTarget;
  readonly body: WireBody;
  readonly reply: OutgoingReply;
  readonly req: IncomingMessage;
  /** What its calls take, where it is a batch. */
  batch: WireEdge["batch"];
  readonly #policy: CallPolicy;
  #slots: ContextSlots | undefined;
  #aborter: AbortController | undefined;
  #isGivenUp = false;
  #isShutDown = false;

  constructor(target: WireTarget, body: WireBody, reply: OutgoingReply, policy: CallPolicy) {
    this.target = target;
    this.body = body;
    this.reply = reply;
    this.req = reply.req;
    this.#policy = policy;
    reply.target = target;
  }

  get edge(): WireEdge {
    return this;
  }

  get observed(): WireRequest["observed"] {
    return this.reply.observed;
  }

  get method(): string {
    return this.req.method ?? "GET";
  }

  get headers() {
    return this.req.headers;
  }

  /** Whether the call was aborted because the server waits for it no longer. */
  get isShutDown(): boolean {
    return this.#isShutDown;
  }

  onClosing(end: () => void): () => void {
    return this.#policy.onClosing(end);
  }

  /**
   * Aborts when the connection is lost before the reply was sent, when the body turns out to be broken, and when the
   * server closes and waits no longer.
   */
  get signal(): AbortSignal {
    if (this.#aborter !== undefined) return this.#aborter.signal;
    this.#aborter = new AbortController();
    if (this.#isGivenUp) this.#abort(this.#aborter, requestAborted.message);
    const { res } = this.reply;
    const stopListening = this.#policy.onShutdown(() => this.#shutDown());
    // It also closes after a reply that was sent; that is no abort.
    const onClose = (): void => {
      stopListening();
      if (!res.writableFinished) this.#giveUp();
    };
    if (res.destroyed || res.closed) onClose();
    else res.once("close", onClose);
    return this.#aborter.signal;
  }

  /** Cookies by name. */
  readCookies(): ReturnType<ParseCookies> {
    const { cookie } = this.headers;
    return cookie === undefined ? {} : this.#policy.parseCookies(cookie);
  }

  describe(): RequestDescription {
    const url = this.req.url ?? "/";
    return { headers: this.#describedHeaders(), method: this.method, url, path: pathOf(url) };
  }

  /** Of a credential header that arrived more than once, all values: the first one alone would pass for the only one. */
  #describedHeaders(): IncomingMessage["headers"] {
    const repeated = this.#policy.credentialHeaders.filter((name) => this.isRepeated(name));
    if (repeated.length === 0) return this.headers;
    return { ...this.headers, ...Object.fromEntries(repeated.map((name) => [name, valuesOf(this.req, name)])) };
  }

  isRepeated(header: string): boolean {
    return isRepeated(this.req, header);
  }

  isLocal(): MaybePromise<boolean> {
    return this.#policy.isLocal(this.req);
  }

  failureAddress(): string | undefined {
    return this.#policy.failureAddress(this.req);
  }

  enter(contexts: ContextSlots | undefined): ContextSlots {
    return (this.#slots = this.#policy.enter(this, contexts));
  }

  /** What the task finds around it, once it has been started. */
  get slots(): ContextSlots | undefined {
    return this.#slots;
  }

  isReplyTaken(result: unknown): boolean {
    return this.#policy.isReplyTaken(this, result);
  }

  abandonReply(): void {
    this.reply.breakOff();
  }

  /** Gives the call up, together with what was already sent of its reply. */
  breakOff(): void {
    this.#giveUp();
    this.reply.breakOff();
  }

  /** A signal that is read later must be aborted, too. */
  #giveUp(): void {
    this.#isGivenUp = true;
    if (this.#aborter !== undefined) this.#abort(this.#aborter, requestAborted.message);
  }

  #shutDown(): void {
    if (this.#aborter === undefined || this.#aborter.signal.aborted) return;
    this.#isShutDown = true;
    this.#abort(this.#aborter, serverClosing.message);
  }

  #abort(aborter: AbortController, reason: string): void {
    // Its listeners are the task's.
    enterSlots(this.#slots, () => aborter.abort(cancellationError.create({ reason })));
  }
}
