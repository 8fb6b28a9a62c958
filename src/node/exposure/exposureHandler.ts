import type { IncomingMessage, ServerResponse } from "node:http";
import { ofBegunCall } from "../../errors/begunCall";
import {
  bufferFull,
  internalError,
  methodNotAllowed,
  notFound,
  overloaded,
  requestAborted,
  serverClosing,
  type WireFailure,
} from "../../errors/wireErrors";
import type { TracePoint } from "../../platform/tracePoint";
import type { RequestTrace } from "../../runtime/tracing";
import type { Metrics } from "../../globals/metrics/metrics";
import type { WireBody, WireResponse, WireTarget } from "../../tunnels/protocol/wire";
import type { RunServer } from "../../tunnels/server/serveRun";
import { decodeRequest } from "../server/compression";
import { decideInTime, type Cors } from "../../tunnels/http/cors";
import { isAllowed, methodsOf } from "../../tunnels/http/methods";
import { bodyModeOf } from "../../tunnels/http/bodyMode";
import { createOpenApiText } from "../../tunnels/server/openApiText";
import { createRequestIds } from "../../tunnels/http/requestIds";
import { IncomingBatch, type BatchPolicy } from "./incomingBatch";
import { IncomingCall } from "./incomingCall";
import { RequestText, type BodySource } from "./body/requestText";
import { ByteBudget } from "../../lib/byteBudget";
import { PaceWatch } from "../../tunnels/http/paceWatch";
import { cutReply } from "../server/handMadeResponse";
import type { RequestHandler } from "../server/servers";
import { createFormParsers } from "./form/formParsers";
import { RequestItems } from "./body/requestItems";
import { RequestFormBody } from "./body/requestFormBody";
import { OutgoingReply } from "./reply/outgoingReply";
import { createReplyPolicies } from "./reply/replyPolicies";
import type { ReplyPolicy } from "./reply/writableReply";
import { mergeVary } from "../../tunnels/http/replyHeaders";
import { createConnectionEnds } from "./reply/connectionEnds";
import { publishRequest } from "./tracedRequest";
import { exposureOrigin } from "../../tunnels/http/serveOptions";
import { publishRefusedBatch, requestTraceOf } from "../../tunnels/server/traceRequests";
import { createProbes, isProbe, type Health, type Probe } from "./probes";
import { createServedRoutes } from "./servedRoutes";
import { unknownTarget } from "../../tunnels/http/router";
import { createCallPolicy, type CallPolicyParts } from "./callPolicy";

/** What the edge is made of: the run it serves, and what is HTTP's alone. */
export interface ExposureParts extends RunServer, CallPolicyParts {
  /** What answers probes; absent where no path for them is configured. */
  readonly health: Health | undefined;
  /** What `http.metrics` answers with; absent where no path for it is configured. */
  readonly metrics: Metrics | undefined;
  /** Gets a count of the bytes in memory, where the run has any. */
  readonly heldBytes: (() => number)[] | undefined;
  /** Publishes requests. */
  readonly requests: TracePoint<RequestTrace> | undefined;
  /** A reply broke off midway. */
  readonly onBroken: ReplyPolicy["onBroken"];
  /** Something failed outside the pipeline. */
  readonly onUnhandled: (error: unknown, requestId: string) => void;
}

/** Replies to HTTP requests below the base path. */
export interface ExposureHandler extends RequestHandler {
  /** As `handle`, but what does not address this kind gets a 404. Never rejects. */
  handleOnly(kind: WireTarget["kind"], req: IncomingMessage, res: ServerResponse): Promise<void>;
}

/** The HTTP edge: routes, frames and limits requests; what a call means is the pipeline's business. */
export function createExposureHandler(parts: ExposureParts): ExposureHandler {
  const { respond, config, cors, drain, requests, onUnhandled } = parts;
  const { basePath, limits, compression, discoverable } = config;
  const assignRequestId = createRequestIds();
  const connections = createConnectionEnds(drain);
  const { endsConnection } = connections;
  const budget = new ByteBudget(limits.bufferedBytes);
  parts.heldBytes?.push(() => budget.heldBytes);
  const { policy, outsidePolicy, probePolicy } = createReplyPolicies(parts, { endsConnection, budget });
  const source: BodySource = {
    paceWatch: new PaceWatch(limits.bodyIdleMs, limits.bodyRate),
    leftoverWatch: new PaceWatch(limits.bodyIdleMs),
    budget,
    open: compression.requests ? decodeRequest : (req) => req,
  };
  const parsers = createFormParsers(limits.multipart);
  const callPolicy = createCallPolicy(parts);
  const probes = createProbes(config.probes, { ...parts, callPolicy, openApi: createOpenApiText(config, parts) });
  const routeOf = createServedRoutes(basePath, { allowList: parts.allowList, probes });
  /** Callers that wait for a reply. */
  let waitingCount = 0;
  const batchPolicy: BatchPolicy = {
    basePath,
    budget,
    requests,
    onUnhandled,
    // The request itself is served as well.
    refusalOf: () => (waitingCount < limits.inFlight && drain.count <= limits.running ? undefined : overloaded()),
    countWaiting: (change) => void (waitingCount += change),
    countRunning: (change) => (change === 1 ? drain.enter() : drain.leave()),
  };

  /** Whether there is a place for one more request, and what is answered if there is none. */
  function refusalOf(): WireFailure | undefined {
    if (waitingCount > limits.inFlight || drain.count > limits.running) return overloaded();
    return budget.fits(1) ? undefined : bufferFull();
  }

  /**
   * Whatever fails here must not leave a request without a reply.
   *
   * By callbacks: once contexts are in use, Node runs a hook for every promise.
   */
  // eslint-disable-next-line @typescript-eslint/max-params -- an object of them would be one more for each request
  function answer(
    target: WireTarget | typeof unknownTarget,
    req: IncomingMessage,
    res: ServerResponse,
    onDone: (() => void) | undefined,
    observed?: RequestTrace,
  ): void {
    // Callers know that such a request was not served, whereas a task that ran could tell no one.
    if (!connections.canReply(req, res)) return onDone?.();
    const requestId = assignRequestId(req);
    let form: RequestFormBody | undefined;
    let isWaiting = true;
    // A caller that leaves gives its place back at once, whatever its call is doing.
    const leave = (): void => {
      if (isWaiting) waitingCount -= 1;
      isWaiting = false;
    };
    // It does nothing the second time, and `once` makes three objects for what closes once.
    res.on("close", leave);
    // Counted from here on: before, what is no response of Node's may throw.
    drain.enter();
    waitingCount += 1;

    const end = (): void => {
      form?.release();
      leave();
      drain.leave();
      onDone?.();
    };
    const onFailed = (error: unknown): void => {
      onUnhandled(error, requestId);
      refuseSafely(req, res, { failure: internalError(), requestId });
      end();
    };
    /** Takes a step. It is over when what it sends is sent, unless it goes on by callbacks. */
    function take<T>(step: (given: T) => Sending | typeof goesOn, given: T): void {
      let sending: Sending | typeof goesOn;
      try {
        sending = step(given);
      } catch (error) {
        onFailed(error);
        return;
      }
      if (sending === undefined) end();
      else if (sending !== goesOn) void sending.then(end, onFailed);
    }

    function open(decided: Cors | undefined): Sending | typeof goesOn {
      if (req.method === "OPTIONS") return preflight(req, res, decided ?? cors);
      const reply = new OutgoingReply(req, res, decided ? { ...policy, cors: decided } : policy, requestId);
      reply.observed = observed;
      if (!drain.admits) return reply.refuse(serverClosing());
      const refusal = refusalOf();
      if (refusal !== undefined) {
        leave();
        return reply.refuse(refusal);
      }
      if (target === unknownTarget || isHidden(target)) return reply.refuse(notFound());
      if (!isAllowed(req.method, target)) return reply.refuse(methodNotAllowed(), { allow: methodsOf(target) });

      const body = bodyOf(target, req);
      const call = new IncomingCall(target, body, reply, callPolicy);
      if (target.kind === "batch") call.batch = new IncomingBatch(call, batchPolicy);
      if (body instanceof RequestFormBody) {
        form = body;
        form.onBroken = () => call.breakOff();
      }
      // As streams of items that reply.
      if (body instanceof RequestItems) body.onReading = leave;
      const send = (response: WireResponse): Sending => {
        // Streams of items are counted apart, and may last.
        if (response.body.kind === "stream" && response.body.isItems) leave();
        const isShutDown = call.isShutDown && response.status === requestAborted.status;
        return isShutDown ? reply.refuse(ofBegunCall(serverClosing())) : reply.send(response);
      };
      respond(call, (response) => take(send, response), onFailed);
      return goesOn;
    }

    if (cors.decide === undefined) return take(open, undefined);
    void decideInTime(cors.decide(req.headers.origin), limits.authMs).then((decided) => take(open, decided), onFailed);
  }

  const isHidden = ({ kind }: WireTarget): boolean =>
    (kind === "discovery" && !discoverable) || (kind === "batch" && !parts.servesBatches);

  /** The only place that asks whether anything listens to the requests of the exposure. */
  function serve(
    target: WireTarget | typeof unknownTarget,
    req: IncomingMessage,
    res: ServerResponse,
    onDone: (() => void) | undefined,
  ): void {
    if (requests?.isOn !== true || req.method === "OPTIONS") return answer(target, req, res, onDone);
    assignRequestId(req);
    if (typeof target === "object" && target.kind === "batch") {
      const observed = requestTraceOf(undefined, req.headers, exposureOrigin);
      const publish = (): void => {
        observed.status = res.statusCode;
        publishRefusedBatch(requests, observed);
        onDone?.();
      };
      return answer(target, req, res, publish, observed);
    }
    const known = target === unknownTarget ? undefined : target;
    publishRequest(requests, known, { req, res }, (observed, onPublish) => {
      const onReplied = (): void => {
        onPublish();
        onDone?.();
      };
      answer(target, req, res, onReplied, observed);
    });
  }

  /** Takes no place of a call, waits in no drain by itself, and is written to no log. */
  async function answerProbe(probe: Probe, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (!connections.canReply(req, res)) return;
    try {
      await probes.answer(probe, new OutgoingReply(req, res, probePolicy, ""));
    } catch (error) {
      onUnhandled(error, "");
      refuseSafely(req, res, { failure: internalError(), requestId: "" });
    }
  }

  /**
   * Refuses without the policy of calls, which may be what failed since it calls what the config gave. So may the response,
   * where it was made by hand.
   */
  function refuseSafely(req: IncomingMessage, res: ServerResponse, { failure, requestId }: Refusal): void {
    const cut = (): void => cutReply(res);
    try {
      if (res.headersSent) cut();
      else void new OutgoingReply(req, res, outsidePolicy, requestId).refuse(failure)?.catch(cut);
    } catch {
      cut();
    }
  }

  function bodyOf(target: WireTarget, req: IncomingMessage): WireBody {
    const mode = target.kind === "task" ? bodyModeOf(req.headers["content-type"]) : "json";
    if (mode === "json") return new RequestText(req, source);
    if (mode === "octet") return { kind: "stream", stream: req };
    if (mode === "items") return new RequestItems(req, source);
    return new RequestFormBody({ req, source, parsers });
  }

  function preflight(req: IncomingMessage, res: ServerResponse, { preflightFor, varies }: Cors): undefined {
    const head = [...preflightFor(req.headers), "content-length", "0"];
    if (varies) head.push("vary", mergeVary(res.getHeader("vary") ?? [], "Origin"));
    if (endsConnection(req, res)) head.push("connection", "close");
    res.writeHead(204, head).end();
  }

  return {
    basePath,
    serves: (req) => routeOf(req) !== undefined,
    handle(req, res, onDone) {
      const target = routeOf(req);
      if (target === undefined) return false;
      if (isProbe(target)) void answerProbe(target, req, res).then(onDone);
      else serve(target, req, res, onDone);
      return true;
    },
    handleOnly(kind, req, res) {
      const target = routeOf(req);
      const isAddressed = typeof target === "object" && target.kind === kind;
      return new Promise((resolve) => serve(isAddressed ? target : unknownTarget, req, res, resolve));
    },
    refuse: (req, res) => refuseSafely(req, res, { failure: notFound(), requestId: "" }),
  };
}

/** What a request is refused with. */
interface Refusal {
  readonly failure: WireFailure;
  readonly requestId: string;
}

/** Settles when what is sent has left; `undefined` when it has. */
type Sending = Promise<void> | undefined;

/** What a step gives that is not over with it. */
const goesOn = /* @__PURE__ */ Symbol("goes on");
