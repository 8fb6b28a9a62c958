import { ofBegunCall } from "../../errors/begunCall";
import {
  internalError,
  methodNotAllowed,
  notFound,
  octetUnsupported,
  overloaded,
  requestAborted,
  serverClosing,
  WireFailure,
} from "../../errors/wireErrors";
import { ByteBudget } from "../../lib/byteBudget";
import type { Drain } from "../../lib/drain";
import { hasContextScope } from "../../platform/contextScope";
import type { TracePoint } from "../../platform/tracePoint";
import type { RequestTrace } from "../../runtime/tracing";
import { bodyModeOf } from "../http/bodyMode";
import { corsDisabled, decideInTime, type Cors } from "../http/cors";
import { isAllowed, methodsOf } from "../http/methods";
import { createOpenApiText } from "../server/openApiText";
import { createRequestIds } from "../http/requestIds";
import { exposureOrigin } from "../http/serveOptions";
import { createRouter, pathOf, unknownTarget } from "../http/router";
import { textBody, type WireBody, type WireResponse, type WireTarget } from "../protocol/wire";
import { publishRefusedBatch, requestTraceOf } from "../server/traceRequests";
import type { RunServer } from "../server/serveRun";
import { FetchBatch, type FetchBatchPolicy } from "./fetchBatch";
import { FetchCall, type FetchCallPolicy, type FetchExposureInfo } from "./fetchCall";
import type { ResolvedFetchConfig } from "./fetchConfig";
import { addFlat, FetchReply, type FetchReplyPolicy } from "./fetchReply";
import { assertUnread, FetchText, type BodySource } from "./fetchText";
import { FetchFormBody } from "./form/fetchFormBody";
import { viewHeaders } from "./requestHeaders";
import { RequestItems } from "./requestItems";
import { ServedRequest } from "./servedRequest";
import { publishRequest } from "./tracedRequest";
import { WaitingCalls } from "./waitingCalls";

/** What the edge is made of: the run it serves, and what is HTTP's alone. */
export interface FetchHandlerParts extends RunServer {
  readonly config: ResolvedFetchConfig;
  readonly cors: Cors;
  readonly drain: Drain;
  /** Publishes requests. */
  readonly requests: TracePoint<RequestTrace> | undefined;
  /** What the path of the metrics answers with. */
  readonly metrics: MetricsText | undefined;
  /** Gets a count of the bytes in memory, where the run has any. */
  readonly heldBytes: (() => number)[] | undefined;
  readonly onBroken: FetchReplyPolicy["onBroken"];
  readonly onDropped: FetchCallPolicy["onDropped"];
  readonly keepWorking: FetchCallPolicy["keepWorking"];
  /** Something failed outside the pipeline. */
  readonly onUnhandled: (error: unknown, requestId: string) => void;
}

/** As much of the metrics of a run as is sent. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

/** Replies to requests below the base path. What it returns never rejects. */
export interface FetchHandler {
  /** @returns `undefined` outside the base path */
  handle(request: Request, info: FetchExposureInfo): Promise<Response> | undefined;
  /** As `handle`, but what is outside the base path gets a 404. */
  fetch(request: Request, info: FetchExposureInfo): Promise<Response>;
}

type Probe = keyof ResolvedFetchConfig["probes"];

/** What a probe is answered with. */
interface ProbeText {
  /** Default: JSON. */
  readonly contentType: string | undefined;
  readonly text: string;
}

/** A request that addresses something below the base path. */
interface ArrivedRequest {
  readonly target: WireTarget | typeof unknownTarget;
  readonly request: Request;
  readonly info: FetchExposureInfo;
  /** With the id of the request among them. */
  readonly headers: Record<string, string | undefined>;
  readonly served: ServedRequest;
}

/** The fetch edge: routes and limits requests; what a call means is the pipeline's business. */
export function createFetchHandler(parts: FetchHandlerParts): FetchHandler {
  const { respond, config, cors, drain, requests, metrics, onBroken, onUnhandled } = parts;
  const { limits, discoverable } = config;
  const route = createRouter(config.basePath);
  // Some hosts have no random numbers before the first request.
  let assignRequestId: ReturnType<typeof createRequestIds> | undefined;
  const policy: FetchReplyPolicy = { cors, vary: cors.varies ? "Origin" : "", onBroken };
  // Outside the base path other origins have no business.
  const outsidePolicy: FetchReplyPolicy = { cors: corsDisabled, vary: "", onBroken };
  const budget = new ByteBudget(limits.bufferedBytes);
  parts.heldBytes?.push(() => budget.heldBytes);
  const source: BodySource = { idleMs: limits.bodyIdleMs, rate: limits.bodyRate, budget };
  const callPolicy: FetchCallPolicy = {
    onShutdown: (abort) => drain.onAbort(abort),
    onClosing: (end) => drain.onStopAdmitting(end),
    onDropped: parts.onDropped,
    keepWorking: parts.keepWorking,
  };
  const waiting = new WaitingCalls(limits.inFlight);
  const batchPolicy: FetchBatchPolicy = {
    budget,
    requests,
    onUnhandled,
    waiting,
    drain,
    // The request itself is served as well.
    refusalOf: () => (waiting.hasRoom() && drain.count <= limits.running ? undefined : overloaded()),
  };
  const isHidden = ({ kind }: WireTarget): boolean =>
    (kind === "discovery" && !discoverable) || (kind === "batch" && !parts.servesBatches);

  function serve(
    target: WireTarget | typeof unknownTarget,
    request: Request,
    info: FetchExposureInfo,
  ): Promise<Response> {
    const headers = viewHeaders(request.headers);
    const requestId = (assignRequestId ??= createRequestIds())({ headers });
    const served = new ServedRequest(headers["origin"], requestId, drain, waiting);
    const arrived: ArrivedRequest = { target, request, info, headers, served };
    // The only place that asks whether anything listens to the requests of the edge.
    if (requests?.isOn !== true || request.method === "OPTIONS") return answer(arrived);
    if (typeof target === "object" && target.kind === "batch") {
      const observed = (served.observed = requestTraceOf(undefined, headers, exposureOrigin));
      served.onReplied = () => publishRefusedBatch(requests, observed);
      return answer(arrived);
    }
    const known = target === unknownTarget ? undefined : target;
    return publishRequest(requests, requestTraceOf(known, headers, exposureOrigin), served, () => answer(arrived));
  }

  async function answer({ target, request, info, headers, served }: ArrivedRequest): Promise<Response> {
    const { requestId, observed } = served;
    try {
      const decided = cors.decide && (await decideInTime(cors.decide(headers["origin"]), limits.authMs));
      if (request.method === "OPTIONS") return served.finish(preflight(headers, decided ?? cors));
      const reply = new FetchReply(decided ? { ...policy, cors: decided } : policy, served);
      if (!drain.admits) return served.finish(reply.refuse(serverClosing()));
      if (!waiting.hasRoom() || drain.count >= limits.running) return served.finish(reply.refuse(overloaded()));
      if (target === unknownTarget || isHidden(target)) return served.finish(reply.refuse(notFound()));
      if (!isAllowed(request.method, target)) {
        return served.finish(reply.refuse(methodNotAllowed(), { allow: methodsOf(target) }));
      }
      const body = bodyOf(target, request, headers["content-type"]);
      if (body === undefined) return served.finish(reply.refuse(octetUnsupported()));
      const call = new FetchCall({ target, body, request, info, requestId, headers, observed }, callPolicy);
      if (target.kind === "batch") call.batch = new FetchBatch(call, batchPolicy, () => (served.observed = undefined));
      if (body instanceof FetchFormBody) body.onBroken = () => call.breakOff();
      // Counted apart, as streams are.
      if (body instanceof RequestItems) body.onReading = () => waiting.delete(call);
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
          // Streams of items and events are counted apart, and may last.
          if (response.body.kind === "stream" && response.body.isItems) waiting.delete(call);
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

  const { probes } = config;
  const hasProbes = probes.metrics !== undefined || probes.openapi !== undefined;
  const openApi = createOpenApiText(config, parts);

  /** What a request asks about the process, rather than of a task or event. */
  function probeOf({ url }: Request): Probe | undefined {
    if (!hasProbes) return undefined;
    const path = pathOf(url);
    return path === probes.metrics ? "metrics" : path === probes.openapi ? "openapi" : undefined;
  }

  /** Takes no place of a call, and is published to no one. */
  async function answerProbe(probe: Probe, request: Request, info: FetchExposureInfo): Promise<Response> {
    const headers = viewHeaders(request.headers);
    const served = new ServedRequest(undefined, "", drain, waiting);
    const reply = new FetchReply(outsidePolicy, served);
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") return reply.refuse(methodNotAllowed(), { allow: "GET, HEAD" });
    const target = { kind: "discovery", id: "" } as const;
    const call = new FetchCall(
      { target, body: textBody(""), request, info, requestId: "", headers, observed: undefined },
      callPolicy,
    );
    try {
      const { contentType, text } = await (probe === "metrics" ? readMetrics(call) : readOpenApi(call));
      const head = { status: 200, contentType, headers: { "cache-control": "no-store" } };
      return reply.send({ ...head, body: { kind: "text", text: method === "GET" ? text : "" } });
    } catch (error) {
      if (error instanceof WireFailure) return reply.refuse(error);
      onUnhandled(error, "");
      return reply.refuse(internalError());
    }
  }

  async function readMetrics(call: FetchCall): Promise<ProbeText> {
    await parts.assertAuthenticated(call);
    return { contentType: metrics?.contentType, text: (await metrics?.text()) ?? "" };
  }

  const readOpenApi = async (call: FetchCall): Promise<ProbeText> => ({
    contentType: undefined,
    text: await openApi(call),
  });

  /** @returns `undefined` for bytes that no task could get at */
  function bodyOf(target: WireTarget, request: Request, contentType: string | undefined): WireBody | undefined {
    const mode = target.kind === "task" ? bodyModeOf(contentType) : "json";
    if (mode === "json") return new FetchText(request, source);
    if (mode === "multipart") return new FetchFormBody(request, { source, limits: limits.multipart });
    if (mode === "items") return new RequestItems(request);
    if (!hasContextScope()) return undefined;
    assertUnread(request);
    return { kind: "stream", stream: unread };
  }

  return {
    handle(request, info) {
      const probe = probeOf(request);
      if (probe !== undefined) return answerProbe(probe, request, info);
      const target = route(request.url);
      return target === undefined ? undefined : serve(target, request, info);
    },
    fetch(request, info) {
      const probe = probeOf(request);
      if (probe !== undefined) return answerProbe(probe, request, info);
      const target = route(request.url);
      if (target !== undefined) return serve(target, request, info);
      const reply = new FetchReply(outsidePolicy, new ServedRequest(undefined, "", drain, waiting));
      return Promise.resolve(reply.refuse(notFound()));
    },
  };
}

function replyTo(response: WireResponse, reply: FetchReply, call: FetchCall): Response {
  if (call.isShutDown && response.status === requestAborted.status) return reply.refuse(ofBegunCall(serverClosing()));
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
