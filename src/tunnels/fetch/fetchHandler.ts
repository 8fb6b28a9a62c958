import {
  internalError,
  methodNotAllowed,
  notFound,
  octetUnsupported,
  overloaded,
  requestAborted,
  serverClosing,
} from "../../errors/wireErrors";
import { ByteBudget } from "../../lib/byteBudget";
import type { Drain } from "../../lib/drain";
import { hasContextScope } from "../../platform/contextScope";
import { bodyModeOf } from "../http/bodyMode";
import { corsDisabled, decideInTime, type Cors } from "../http/cors";
import { isAllowed, methodsOf } from "../http/methods";
import { createRequestIds } from "../http/requestIds";
import { createRouter, unknownTarget } from "../http/router";
import type { WireBody, WireResponse, WireTarget } from "../protocol/wire";
import type { RunServer } from "../server/serveRun";
import { FetchCall, type FetchCallPolicy, type FetchExposureInfo } from "./fetchCall";
import type { ResolvedFetchConfig } from "./fetchConfig";
import { addFlat, FetchReply, type FetchReplyPolicy } from "./fetchReply";
import { assertUnread, FetchText, type BodySource } from "./fetchText";
import { FetchFormBody } from "./form/fetchFormBody";
import { viewHeaders } from "./requestHeaders";
import type { CutBody } from "./streamBody";
import { WaitingCalls } from "./waitingCalls";

/** What the edge is made of: the run it serves, and what is HTTP's alone. */
export interface FetchHandlerParts extends RunServer {
  readonly config: ResolvedFetchConfig;
  readonly cors: Cors;
  readonly drain: Drain;
  readonly onBroken: FetchReplyPolicy["onBroken"];
  readonly onDropped: FetchCallPolicy["onDropped"];
  readonly keepWorking: FetchCallPolicy["keepWorking"];
  /** Something failed outside the pipeline. */
  readonly onUnhandled: (error: unknown, requestId: string) => void;
}

/** Replies to requests below the base path. What it returns never rejects. */
export interface FetchHandler {
  /** @returns `undefined` outside the base path */
  handle(request: Request, info: FetchExposureInfo): Promise<Response> | undefined;
  /** As `handle`, but what is outside the base path gets a 404. */
  fetch(request: Request, info: FetchExposureInfo): Promise<Response>;
}

/** The fetch edge: routes and limits requests; what a call means is the pipeline's business. */
export function createFetchHandler(parts: FetchHandlerParts): FetchHandler {
  const { respond, config, cors, drain, onBroken, onUnhandled } = parts;
  const { limits, discoverable } = config;
  const route = createRouter(config.basePath);
  // Some hosts have no random numbers before the first request.
  let assignRequestId: ReturnType<typeof createRequestIds> | undefined;
  const policy: FetchReplyPolicy = { cors, vary: cors.varies ? "Origin" : "", onBroken };
  // Outside the base path other origins have no business.
  const outsidePolicy: FetchReplyPolicy = { cors: corsDisabled, vary: "", onBroken };
  const budget = new ByteBudget(limits.bufferedBytes);
  const source: BodySource = { idleMs: limits.bodyIdleMs, rate: limits.bodyRate, budget };
  const callPolicy: FetchCallPolicy = {
    onShutdown: (abort) => drain.onAbort(abort),
    onDropped: parts.onDropped,
    keepWorking: parts.keepWorking,
  };
  const waiting = new WaitingCalls(limits.inFlight);

  async function answer(
    target: WireTarget | typeof unknownTarget,
    request: Request,
    info: FetchExposureInfo,
  ): Promise<Response> {
    const headers = viewHeaders(request.headers);
    const requestId = (assignRequestId ??= createRequestIds())({ headers });
    const served = new ServedRequest(headers["origin"], requestId, drain, waiting);
    try {
      const decided = cors.decide && (await decideInTime(cors.decide(headers["origin"]), limits.authMs));
      if (request.method === "OPTIONS") return served.finish(preflight(headers, decided ?? cors));
      const reply = new FetchReply(decided ? { ...policy, cors: decided } : policy, served);
      if (!drain.admits) return served.finish(reply.refuse(serverClosing()));
      if (!waiting.hasRoom() || drain.count >= limits.running) return served.finish(reply.refuse(overloaded()));
      if (target === unknownTarget || (target.kind === "discovery" && !discoverable)) {
        return served.finish(reply.refuse(notFound()));
      }
      if (!isAllowed(request.method, target)) {
        return served.finish(reply.refuse(methodNotAllowed(), { allow: methodsOf(target) }));
      }
      const body = bodyOf(target, request, headers["content-type"]);
      if (body === undefined) return served.finish(reply.refuse(octetUnsupported()));
      const call = new FetchCall({ target, body, request, info, requestId, headers }, callPolicy);
      if (body instanceof FetchFormBody) body.onBroken = () => call.breakOff();
      served.admit(call);
      // Made here, since of an async function only the end can be waited for, and a task may reply before its own.
      return await new Promise<Response>((resolve, reject) => {
        call.onRespond = (response) => {
          try {
            resolve(reply.respond(response));
          } catch (error) {
            // Its body is being read, or its status is that of a failed fetch.
            onBroken(error, requestId);
            resolve(reply.refuse(internalError()));
          }
        };
        const onResponse = (response: WireResponse): void => {
          call.onRespond = undefined;
          try {
            if (response.body.kind !== "taken") resolve(replyTo(response, reply, call));
          } catch (error) {
            reject(error);
          }
          served.settle();
        };
        respond(call, onResponse, reject);
      });
    } catch (error) {
      onUnhandled(error, requestId);
      served.finish();
      // The policy itself may be what failed: it calls what the config gave.
      return new FetchReply(outsidePolicy, served).refuse(internalError());
    }
  }

  /** @returns `undefined` for bytes that no task could get at */
  function bodyOf(target: WireTarget, request: Request, contentType: string | undefined): WireBody | undefined {
    const mode = target.kind === "task" ? bodyModeOf(contentType) : "json";
    if (mode === "json") return new FetchText(request, source);
    if (mode === "multipart") return new FetchFormBody(request, { source, limits: limits.multipart });
    if (!hasContextScope()) return undefined;
    assertUnread(request);
    return { kind: "stream", stream: unread };
  }

  return {
    handle(request, info) {
      const target = route(request.url);
      return target === undefined ? undefined : answer(target, request, info);
    },
    fetch(request, info) {
      const target = route(request.url);
      if (target !== undefined) return answer(target, request, info);
      const reply = new FetchReply(outsidePolicy, new ServedRequest(undefined, "", drain, waiting));
      return Promise.resolve(reply.refuse(notFound()));
    },
  };
}

function replyTo(response: WireResponse, reply: FetchReply, call: FetchCall): Response {
  if (call.isShutDown && response.status === requestAborted.status) return reply.refuse(serverClosing());
  return reply.send(response);
}

/** Tasks read the body of the request itself. */
const unread: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
};

function preflight(asked: Record<string, string | undefined>, { preflightFor, varies }: Cors): Response {
  const headers: Record<string, string> = varies ? { vary: "Origin" } : {};
  addFlat(headers, preflightFor(asked));
  return new Response(null, { status: 204, headers });
}

/** One request from its arrival to the end of its reply and of what it started. */
class ServedRequest {
  readonly origin: string | undefined;
  readonly requestId: string;
  readonly #drain: Drain;
  readonly #waiting: WaitingCalls;
  #call: FetchCall | undefined;
  /** The reply has ended. */
  #isReplied = false;
  /** The task has settled. */
  #isSettled = false;
  #isCounted = false;
  /** Called once both have. */
  #onDone: (() => void) | undefined;

  constructor(origin: string | undefined, requestId: string, drain: Drain, waiting: WaitingCalls) {
    this.origin = origin;
    this.requestId = requestId;
    this.#drain = drain;
    this.#waiting = waiting;
  }

  /** It takes a place from here on, until both its reply and its task have ended. */
  admit(call: FetchCall): void {
    this.#call = call;
    this.#isCounted = true;
    this.#waiting.add(call);
    this.#drain.enter();
  }

  onStreaming(cut: CutBody, released: Promise<unknown>): void {
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
    if (this.#call === undefined) return;
    this.#waiting.delete(this.#call);
    this.#call.end();
    if (this.#call.body instanceof FetchFormBody) this.#call.body.release();
    this.#leave();
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
