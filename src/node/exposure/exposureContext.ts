import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { contextError } from "../../errors/runErrors";
import { currentSlots } from "../../platform/contextScope";
import { bindListeners } from "./bindListeners";
import type { WireHeaders } from "../../tunnels/protocol/wire";
import { discardStream, readStreamResult, startsLate, type StreamResult } from "../../tunnels/server/streamResult";
import type { IncomingCall } from "./incomingCall";
import { replyOf } from "./reply/outgoingReply";
import { openNodeStream } from "./reply/pieceFlow";
import { sendPieces } from "./reply/sendPieces";
import { originForm } from "../../tunnels/http/router";

/** A Node stream of bytes that can be read. */
export type NodeReadable = Readable;

/** A streamed result with a head of its own. */
export interface StreamingResponse {
  readonly stream: NodeReadable;
  /** Default 200. */
  readonly status?: number | undefined;
  /** Default "application/octet-stream". */
  readonly contentType?: string | undefined;
  /** CORS, cookie, security and connection headers among them are ignored, and so is a request id. */
  readonly headers?: WireHeaders | undefined;
  /**
   * Send status and headers at once, instead of with the first bytes. A stream that then fails before them can only cut
   * the reply. Default: for `text/event-stream` alone.
   */
  readonly flushHeaders?: boolean | undefined;
}

/** The HTTP request that a task serves. */
export interface ExposureRequestContextValue {
  readonly req: IncomingMessage;
  /** Writing to it, piping into it or ending it takes the reply over: the result is then not sent. */
  readonly res: ServerResponse;
  /** The host is always `localhost`. */
  readonly url: URL;
  readonly basePath: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly method?: string | undefined;
  /** Aborts when the connection is lost before the reply was sent. */
  readonly signal: AbortSignal;
  /** Cookies of the request, by name. */
  readonly cookies: Readonly<Record<string, string | undefined>>;
}

/** @internal */
export const exposureContextId = "platform.node.exposure.request";

/**
 * @internal A class with lazy members, because one is made per request and most tasks look at none of them.
 */
export class ExposureContext implements ExposureRequestContextValue {
  readonly basePath: string;
  readonly #call: IncomingCall;
  readonly #req: IncomingMessage;
  #isBound = false;
  #view: ExposureRequestContextValue | undefined;
  #url: URL | undefined;
  #cookies: Readonly<Record<string, string | undefined>> | undefined;

  /** @param req what a task reads as the request: of a compressed one, a decoded view */
  constructor(call: IncomingCall, basePath: string, req: IncomingMessage) {
    this.basePath = basePath;
    this.#call = call;
    this.#req = req;
  }

  get req(): IncomingMessage {
    this.#bind();
    return this.#req;
  }

  /**
   * This context with its members as own ones, so that `{ ...useExposureContext() }` has all of them. A proxy, because
   * defining seven accessors takes twenty times as long.
   */
  get view(): ExposureRequestContextValue {
    return (this.#view ??= new Proxy<ExposureRequestContextValue>(this, ownMembers));
  }

  get res(): ServerResponse {
    this.#bind();
    return this.#call.reply.takeOver();
  }

  /** Listeners of both, and what is piped from one to the other, run when the connection moves, but for this call. */
  #bind(): void {
    if (this.#isBound) return;
    this.#isBound = true;
    const { slots, reply } = this.#call;
    bindListeners(this.#req, slots);
    bindListeners(reply.res, slots);
  }

  get url(): URL {
    return (this.#url ??= new URL(`http://localhost${originForm(this.#call.req.url ?? "/")}`));
  }

  get headers(): IncomingHttpHeaders {
    return this.#call.req.headers;
  }

  get method(): string {
    return this.#call.method;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get cookies(): Readonly<Record<string, string | undefined>> {
    return (this.#cookies ??= this.#call.readCookies());
  }
}

const members: readonly (keyof ExposureRequestContextValue)[] = [
  "req",
  "res",
  "url",
  "basePath",
  "headers",
  "method",
  "signal",
  "cookies",
];
const isMember = (key: PropertyKey): key is keyof ExposureRequestContextValue =>
  (members as readonly PropertyKey[]).includes(key);

/** Shows the members of a context as own properties that cannot be set. */
const ownMembers: ProxyHandler<ExposureRequestContextValue> = {
  // With the context as receiver: its private fields are not the proxy's.
  get: (context, key) => Reflect.get(context, key, context) as unknown,
  ownKeys: (context) => [...new Set([...members, ...Reflect.ownKeys(context)])],
  getOwnPropertyDescriptor: (context, key) =>
    isMember(key)
      ? { value: context[key], enumerable: true, configurable: true, writable: false }
      : Reflect.getOwnPropertyDescriptor(context, key),
};

/**
 * The HTTP request that is being served, inside a task that an exposure runs, and in whatever that task calls.
 *
 * @throws {contextError} not inside such a task; ask `hasExposureContext()` first where both happen
 * @see readmes/tunnels/files-and-streams.md
 */
export function useExposureContext(): ExposureRequestContextValue {
  const context = currentSlots()?.get(exposureContextId);
  if (context !== undefined) return (context as ExposureContext).view;
  throw contextError.create({
    details: `Context not available for symbol ${exposureContextId}`,
    fix: "read it in a task that an exposure runs; where both happen, ask hasExposureContext() first.",
  });
}

/** Whether `useExposureContext()` would return. */
export const hasExposureContext = (): boolean => currentSlots()?.has(exposureContextId) ?? false;

/**
 * Streams a reply from inside a task; does nothing when the response has ended. Without a response, that of the exposure
 * context is used.
 *
 * @throws {contextError} no response given, and not inside a task that an exposure runs
 */
export function respondStream(source: NodeReadable | StreamingResponse): void;
export function respondStream(res: ServerResponse, source: NodeReadable | StreamingResponse): void;
export function respondStream(
  ...args: [source: NodeReadable | StreamingResponse] | [res: ServerResponse, source: NodeReadable | StreamingResponse]
): void {
  const [res, source] = args.length === 1 ? [useExposureContext().res, args[0]] : args;
  const result = readStreamResult(source);
  if (result === undefined) throw new TypeError("respondStream takes a readable stream, or { stream, ... }.");
  if (res.writableEnded || res.destroyed) {
    discardStream(result.stream);
    return;
  }
  void (replyOf(res)?.respond(result) ?? respondAlone(res, result));
}

/** Streams a response that belongs to no exposure. */
async function respondAlone(res: ServerResponse, result: StreamResult): Promise<void> {
  const stream = openNodeStream(result, "respondStream");
  try {
    if (!startsLate(result)) await stream.start();
  } catch {
    // It cannot be reported: the failure shows as a response that breaks off.
    res.destroy();
    return;
  }
  const { status, headers, contentType, flushHeaders } = result;
  if (!res.headersSent) res.writeHead(status, { ...(headers as OutgoingHttpHeaders), "content-type": contentType });
  if (flushHeaders) res.flushHeaders();
  await sendPieces(stream, res, { onFailed() {} });
}
