import { cancellationError } from "../../errors/cancellation";
import { requestAborted, serverClosing } from "../../errors/wireErrors";
import { enterSlots, hasContextScope, OneSlot, type ContextSlots } from "../../platform/contextScope";
import { isPrivateAddress, networkOf, plainAddress } from "../http/callerAddress";
import { originForm, pathOf } from "../http/router";
import type { RequestDescription, WireBody, WireEdge, WireRequest, WireTarget } from "../protocol/wire";
import { discardResult } from "../server/streamResult";
import { readHeaders } from "./requestHeaders";

/** What the host knows of a request, as its author hands it over. */
export interface FetchExposureInfo {
  /**
   * Where the request came from, for logs and limits; proxies are for you to look behind. It makes no caller a local one.
   */
  readonly remoteAddress?: string | undefined;
  /** Keeps the host from ending the work once the reply is sent: `ctx.waitUntil` of Workers, `after` of Next. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
  /** Whatever tasks want of the host: bindings, a connection, the server. */
  readonly platform?: unknown;
}

/** What the calls of one fetch edge have in common. */
export interface FetchCallPolicy {
  /** @param abort called when the edge waits for calls no longer. @returns what takes that back */
  readonly onShutdown: (abort: () => void) => () => void;
  /** @param end called when the edge takes no further calls. @returns what takes that back */
  readonly onClosing: (end: () => void) => () => void;
  /** A task both replied by itself and returned a value, which was dropped. */
  readonly onDropped: (call: FetchCall) => void;
  /** Work that goes on after the reply. */
  readonly keepWorking: (work: PromiseLike<unknown>, call: FetchCall) => void;
}

/** @internal */
export const fetchContextId = "platform.fetch.exposure.request";

/**
 * A call that came by fetch, with the request it came with.
 *
 * A class with a lazy signal, because one is made per request and most tasks look at no signal.
 */
export class FetchCall implements WireRequest, WireEdge {
  readonly target: WireTarget;
  readonly body: WireBody;
  readonly request: Request;
  readonly info: FetchExposureInfo;
  readonly requestId: string;
  readonly headers: Record<string, string | undefined>;
  /** What is published of the request. */
  readonly observed: WireRequest["observed"];
  /** What its calls take, where it is a batch. */
  batch: WireEdge["batch"];
  /** Sends what the task replies with; the call is over for its caller. */
  onRespond: ((response: Response) => void) | undefined;
  /** Cuts the reply that has begun. */
  cutReply: ((error: Error) => void) | undefined;
  readonly #policy: FetchCallPolicy;
  #slots: ContextSlots | undefined;
  #aborter: AbortController | undefined;
  #stopListening: (() => void) | undefined;
  #stopWaiting: (() => void) | undefined;
  #isGivenUp = false;
  #isShutDown = false;
  #isOver = false;
  #hasResponded = false;

  constructor(
    parts: Pick<FetchCall, "target" | "body" | "request" | "info" | "requestId" | "headers" | "observed">,
    policy: FetchCallPolicy,
  ) {
    this.target = parts.target;
    this.body = parts.body;
    this.request = parts.request;
    this.info = parts.info;
    this.requestId = parts.requestId;
    this.headers = parts.headers;
    this.observed = parts.observed;
    this.#policy = policy;
  }

  get edge(): WireEdge {
    return this;
  }

  /** Whether the call was aborted because the edge waits for it no longer. */
  get isShutDown(): boolean {
    return this.#isShutDown;
  }

  /** Whether the caller has left, as far as its host says. */
  get hasCallerLeft(): boolean {
    return this.#isGivenUp || (this.request.signal as AbortSignal | undefined)?.aborted === true;
  }

  /**
   * Aborts when the caller leaves before the reply was sent, when the body turns out to be broken, and when the edge
   * closes and waits no longer.
   */
  get signal(): AbortSignal {
    if (this.#aborter !== undefined) return this.#aborter.signal;
    const aborter = (this.#aborter = new AbortController());
    // Not every host gives its requests one.
    const left = this.#isOver ? undefined : (this.request.signal as AbortSignal | undefined);
    if (this.#isGivenUp || left?.aborted === true) this.giveUp();
    else {
      const onLeft = (): void => this.giveUp();
      left?.addEventListener("abort", onLeft, { once: true });
      this.#stopListening = () => left?.removeEventListener("abort", onLeft);
    }
    this.#stopWaiting = this.#policy.onShutdown(() => this.#shutDown());
    return aborter.signal;
  }

  onClosing(end: () => void): () => void {
    return this.#policy.onClosing(end);
  }

  /** The reply is sent: some hosts abort their signals after that as well, which is no abort of the call. */
  end(): void {
    this.#isOver = true;
    this.#stopListening?.();
  }

  /** Nothing of it goes on. */
  settle(): void {
    this.#stopWaiting?.();
  }

  /** The caller has left. A signal that is read later must be aborted, too. */
  giveUp(): void {
    if (this.#isOver) return;
    this.#isGivenUp = true;
    this.#abort(requestAborted.message);
  }

  /** Gives the call up, together with what was already sent of its reply. */
  breakOff(): void {
    this.giveUp();
    this.cutReply?.(requestAborted());
  }

  describe(): RequestDescription {
    const { request } = this;
    const url = originForm(request.url);
    return { headers: { ...readHeaders(request.headers) }, method: request.method, url, path: pathOf(url) };
  }

  /** There is no socket that could tell. */
  isLocal(): boolean {
    return false;
  }

  failureAddress(): string | undefined {
    const { remoteAddress } = this.info;
    const address = typeof remoteAddress === "string" ? plainAddress(remoteAddress) : "";
    return address === "" || isPrivateAddress(address) ? undefined : networkOf(address);
  }

  /** Hosts join what arrived more than once, by commas. */
  isRepeated(header: string): boolean {
    return this.headers[header]?.includes(",") === true;
  }

  enter(contexts: ContextSlots | undefined): ContextSlots | undefined {
    if (!hasContextScope()) return undefined;
    return (this.#slots =
      contexts === undefined ? new OneSlot(fetchContextId, this) : new Map([...contexts, [fetchContextId, this]]));
  }

  isReplyTaken(result: unknown): boolean {
    if (!this.#hasResponded) return false;
    discardResult(result);
    if (result !== undefined) this.#policy.onDropped(this);
    return true;
  }

  abandonReply(): void {
    this.cutReply?.(new Error(`Task ${this.target.id} failed after it had replied.`));
  }

  respond(response: Response): void {
    if (this.#hasResponded) throw new Error(`Task ${this.target.id} has replied already.`);
    if (this.onRespond === undefined) {
      // Its caller was told something else, as that the time is up.
      response.body?.cancel().catch(() => {});
      return;
    }
    this.#hasResponded = true;
    this.onRespond(response);
  }

  keepWorking(work: PromiseLike<unknown>): void {
    this.#policy.keepWorking(work, this);
  }

  #shutDown(): void {
    if (this.#aborter?.signal.aborted === true) return;
    this.#isShutDown = true;
    this.#abort(serverClosing.message);
  }

  #abort(reason: string): void {
    const aborter = this.#aborter;
    if (aborter === undefined || aborter.signal.aborted) return;
    // Its listeners are the task's.
    enterSlots(this.#slots, () => aborter.abort(cancellationError.create({ reason })));
  }
}
