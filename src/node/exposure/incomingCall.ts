import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { parse as parseCookies } from "cookie";
import { cancellationError } from "../../errors/cancellation";
import { requestAborted, serverClosing } from "../../errors/wireErrors";
import type { MaybePromise } from "../../lib/typeLevel";
import { requestIdHeader } from "../../tunnels/protocol/headers";
import { enterSlots, type ContextSlots } from "../../platform/contextScope";
import type { RequestDescription, WireBody, WireEdge, WireRequest, WireTarget } from "../../tunnels/protocol/wire";
import { isRepeated, valuesOf } from "../server/repeatedHeaders";
import type { OutgoingReply } from "./reply/outgoingReply";
import { pathOf } from "./router";

/** What kind of body a call to a task has. */
export type BodyMode = "json" | "multipart" | "octet";

/** Anything that is neither a form nor raw bytes is taken for JSON, whatever it says it is. */
export function bodyModeOf(contentType: string | undefined): BodyMode {
  if (contentType === undefined || contentType === "application/json") return "json";
  if (/multipart\/form-data/i.test(contentType)) return "multipart";
  return /^\s*application\/octet-stream\s*(;|$)/i.test(contentType) ? "octet" : "json";
}

/** What the calls of one exposure have in common. */
export interface CallPolicy {
  /** Headers that may carry credentials, in lower case. */
  readonly credentialHeaders: readonly string[];
  /** Whether a program of this machine sent the request. */
  readonly isLocal: (req: IncomingMessage) => MaybePromise<boolean>;
  /** Slots a task finds: the request, and the contexts its caller sent. */
  readonly enter: (call: IncomingCall, contexts: ContextSlots | undefined) => ContextSlots;
  /** @param abort called when the server waits for calls no longer. @returns what takes that back */
  readonly onShutdown: (abort: () => void) => () => void;
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

/** Gives a request its id, its own if that is usable, and puts it into the request's headers. */
export function createRequestIds(): (req: IncomingMessage) => string {
  // Shaped as a UUID of version 4: 74 random bits for the process, and the last group for the request. Its lower half
  // is a small integer, which engines write as text many times faster than a larger one.
  const random = randomBytes(16);
  const hex = random.toString("hex");
  const prefix = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-`;
  let high = random.readUIntBE(10, 3);
  let low = firstOfSixDigits;
  let start = prefix + high.toString(16).padStart(6, "0");
  return (req) => {
    const given = req.headers[requestIdHeader];
    if (given !== undefined && typeof given === "string" && isUsableId(given)) {
      return (req.headers[requestIdHeader] = given.trim());
    }
    if (low > 0xffffff) {
      low = firstOfSixDigits;
      high = (high + 1) % 0x1000000;
      start = prefix + high.toString(16).padStart(6, "0");
    }
    return (req.headers[requestIdHeader] = start + (low++).toString(16));
  };
}

const firstOfSixDigits = 0x100000;

const isUsableId = (id: string): boolean => id.length <= 128 && /^\s*[A-Za-z0-9._:-]+\s*$/.test(id);

/** Cookies by name. */
export function readCookies(header: string | undefined): Record<string, string | undefined> {
  return header === undefined ? {} : parseCookies(header);
}
