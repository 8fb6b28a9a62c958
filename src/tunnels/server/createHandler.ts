import { takesItems } from "../../define/itemInput";
import { itemsMissing, itemsNotTaken, notBatchable } from "../../errors/wireErrors";
import { InFlight } from "../../lib/inFlight";
import { settleOrAbort } from "../../lib/settleOrAbort";
import type { MaybePromise } from "../../lib/typeLevel";
import { wireSerializer } from "../../serializer/wireSerializer";
import { itemLimits } from "../protocol/items";
import { subscriptionLimits } from "../protocol/subscriptions";
import { textBody, type Transport, type WireRequest, type WireResponse } from "../protocol/wire";
import { admit, type AllowList } from "./allowList";
import type { Caller } from "./authenticate";
import { answerBatch, type BatchParts } from "./batch/answerBatch";
import { BatchLine } from "./batch/batchLine";
import { taken, textReply } from "./callReplies";
import { callTimeOf, type CallTime } from "./callTime";
import { discover } from "./discovery";
import { errorReply, toWireFailure } from "./errorReply";
import { failedReply, noteFailure } from "./failedCall";
import type { HandlerParts } from "./handlerParts";
import { openStream } from "./openStream";
import { readInput } from "./readInput";
import type { ServedCall, ServerTools } from "./servedCall";
import { serveEmission } from "./serveEmission";
import { OpenStreams } from "./serveItems";
import { replyItems, replyTo, serveBody, startTask } from "./serveTask";
import { discardStream } from "./streamResult";
import { Subscriptions } from "./subscriptions/serveSubscriptions";

/**
 * Serves one call, without a promise of its own: once contexts are in use, Node runs a hook for each.
 *
 * @param reply called once with the response, and must not throw
 * @param onBroken called in its place with what failed outside the pipeline
 */
export type Respond = (request: WireRequest, reply: Reply, onBroken: (error: unknown) => void) => void;

type Reply = (response: WireResponse) => void;

/** What `respond` does, as a transport. */
export const createHandler = (parts: HandlerParts): Transport => handlerOf(createRespond(parts));

/** A transport from what serves calls by callbacks. */
export const handlerOf =
  (respond: Respond): Transport =>
  (request) =>
    new Promise((resolve, reject) => respond(request, resolve, reject));

/**
 * Serves calls: authenticate, admit, read, run, encode.
 *
 * Nothing of the body is read before the caller is known and the target is served, so unknown callers cannot make us parse.
 */
export function createRespond(parts: HandlerParts): Respond {
  const { authenticate, allowList, errors, jsonBytes, report, maxDeadlineMs, onMalformedDeadline } = parts;
  const { narrow = (list) => list, discover: describe = discover } = parts;
  const serializer = wireSerializer(parts.serializer, { maxChars: jsonBytes * charsPerByte, omitErrorStacks: true });
  const openStreams = new OpenStreams(parts.streams);
  const server: ServerTools = { ...parts, serializer, openStream: parts.openStream ?? openStream, openStreams };
  const { batch: limits, tokenHeader, origin } = parts;
  const batches: BatchParts = { limits, tokenHeader, origin, serializer, inFlight: new InFlight(), respond };
  const subscriptions = new Subscriptions({
    eventManager: parts.eventManager,
    serializer,
    limits: parts.subscriptions ?? subscriptionLimits,
    streams: parts.streams ?? itemLimits,
    onUnwritable: (eventId, error) => report(error, emissionOf(eventId), "encode", undefined),
  });
  return respond;

  function respond(request: WireRequest, reply: Reply, onBroken: (error: unknown) => void): void {
    // The calls of a batch have times of their own.
    const time =
      request.target.kind === "batch"
        ? undefined
        : callTimeOf(request, maxDeadlineMs, () => onMalformedDeadline?.(request));
    if (time === undefined) serve(request, time, reply, onBroken);
    else void serveInTime(request, time).then(reply, onBroken);
  }

  /** A task that takes no notice of its signal does not delay the reply. */
  async function serveInTime(request: WireRequest, time: CallTime): Promise<WireResponse> {
    const serving = new Promise<WireResponse>((resolve, reject) => serve(request, time, resolve, reject));
    try {
      return await settleOrAbort(serving, time.expired);
    } catch {
      void serving.then(({ body }) => body.kind === "stream" && discardStream(body.stream));
      if (request.edge?.isReplyTaken(undefined)) {
        request.edge.abandonReply();
        return taken;
      }
      const late = toWireFailure(time.expired.reason, "run", request.target, errors);
      noteFailure(request, late);
      return errorReply(late, serializer, () => {});
    } finally {
      if (!time.isHeld) time.release();
    }
  }

  function serve(
    request: WireRequest,
    time: CallTime | undefined,
    reply: Reply,
    onBroken: (error: unknown) => void,
  ): void {
    const { target, body } = request;
    const call: ServedCall = {
      server,
      request,
      time,
      phase: "authenticate",
      caller: undefined,
      slots: undefined,
      items: undefined,
      isReplay: false,
    };

    const onFailed = (error: unknown): void => {
      let response: WireResponse;
      try {
        response = failedReply(call, error);
      } catch (unexpected) {
        onBroken(unexpected);
        return;
      }
      reply(response);
    };

    /** Takes a step. What it returns is the reply, unless it goes on by callbacks. */
    function take<T>(step: (given: T) => MaybePromise<WireResponse> | undefined, given: T): void {
      let response: MaybePromise<WireResponse> | undefined;
      try {
        response = step(given);
      } catch (error) {
        onFailed(error);
        return;
      }
      if (response instanceof Promise) void response.then(reply, onFailed);
      else if (response !== undefined) reply(response);
    }

    async function describeTo(reachable: AllowList): Promise<WireResponse> {
      return textReply({ ok: true, result: await describe(reachable, errors) }, serializer);
    }

    function admitCaller(caller: Caller): MaybePromise<WireResponse> | undefined {
      call.caller = caller;
      if (request.observed !== undefined) request.observed.caller = caller.name;
      if (target.kind === "batch") {
        call.phase = "read";
        return answerBatch(request, caller, batches);
      }
      call.phase = "admit";
      const reachable = narrow(allowList(), caller);
      if (target.kind === "discovery") return describeTo(reachable);
      if (target.kind === "subscribe") {
        call.phase = "read";
        return subscriptions.open(request, reachable);
      }
      const served = admit(reachable, target);

      if (served.kind === "task") {
        const { task } = served.cell;
        if (takesItems(task) !== (body.kind === "items")) {
          throw takesItems(task) ? itemsMissing(target.id) : itemsNotTaken(target.id);
        }
        if (task.streams === true) {
          if (request instanceof BatchLine) throw notBatchable(target.id, "streams its items", false);
          call.items = openStreams.open(request);
        }
      }
      call.phase = "read";
      if (served.kind === "event") return serveEmission(call, served);
      if (body.kind !== "text") return serveBody(call, served);
      const runTask = (text: string): Promise<WireResponse> | undefined => {
        const running = startTask(call, served, readInput(text, serializer));
        if (call.items !== undefined) return replyItems(call, running);
        void running.then((result) => take(conclude, result), onFailed);
      };
      const text = body.read(jsonBytes);
      if (typeof text === "string") return runTask(text);
      // Not by events: what runs on has to find the contexts of whatever called the handler.
      void text.then((arrived) => take(runTask, arrived), onFailed);
      return undefined;
    }

    const conclude = (result: unknown): MaybePromise<WireResponse> => replyTo(call, result);

    take(() => {
      // A call of a batch was, with the batch.
      const approved = request instanceof BatchLine ? request.caller : authenticate(request);
      if (!(approved instanceof Promise)) return admitCaller(approved);
      void approved.then((caller) => take(admitCaller, caller), onFailed);
      return undefined;
    }, undefined);
  }
}

/** How many characters a value may have for every byte that a body of text may have, as a tree of it would have them. */
const charsPerByte = 16;

/** What reports of an emission that was not asked for by a request refer to. */
const emissionOf = (id: string): WireRequest => ({
  target: { kind: "event", id },
  headers: {},
  body: textBody(""),
  signal: undefined,
});
