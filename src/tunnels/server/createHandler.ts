import { takesItems } from "../../define/itemInput";
import type { IAsyncContext } from "../../define/asyncContext";
import type { IErrorHelper } from "../../errors/defineError";
import { itemsMissing, itemsNotTaken, notBatchable, requestAborted, WireFailure } from "../../errors/wireErrors";
import type { ItemSource } from "../../lib/itemReader";
import { settleOrAbort } from "../../lib/settleOrAbort";
import type { MaybePromise } from "../../lib/typeLevel";
import type { ContextSlots } from "../../platform/contextScope";
import type { EventManager } from "../../runtime/events/eventManager";
import type { SerializerLike } from "../../serializer/codec";
import { wireSerializer } from "../../serializer/wireSerializer";
import {
  textBody,
  type ItemsBody,
  type OpenedForm,
  type Transport,
  type WireRequest,
  type WireResponse,
} from "../protocol/wire";
import { admit, type AllowList, type ServedEvent, type ServedTask } from "./allowList";
import type { Authenticate, Caller } from "./authenticate";
import { answerBatch, type BatchParts } from "./batch/answerBatch";
import { BatchLine } from "./batch/batchLine";
import { besideForm } from "./besideForm";
import { started, streamReply, taken, textReply } from "./callReplies";
import { callTimeOf, type CallTime } from "./callTime";
import { discover, type Discover } from "./discovery";
import { toWireFailure, errorReply, type Phase } from "./errorReply";
import type { Narrow } from "./narrow";
import type { ReadContexts } from "./readContexts";
import { forgetEmission, isRepeated } from "../protocol/repeatedEmissions";
import { openForm, type OpenFile } from "./openForm";
import { openStream, type OpenStream } from "./openStream";
import type { ResolvedBatchLimits } from "../protocol/batch";
import { itemLimits, type ResolvedStreamLimits } from "../protocol/items";
import { subscriptionLimits, type ResolvedSubscriptionLimits } from "../protocol/subscriptions";
import { Subscriptions } from "./subscriptions/serveSubscriptions";
import { OpenStreams, type ServedItems } from "./serveItems";
import { receiveItems } from "./receiveItems";
import { readBody, readInput, readManifest } from "./readInput";
import { discardStream, readStreamResult, startsLate, type StreamResult } from "./streamResult";
import { emit, readEmission, readText } from "./serveEmission";
import { assertAvailable, readKey, type Idempotency, type OnceCall } from "./runOnce";
import { replayedHeader } from "../protocol/headers";
import { ServedScope } from "./servedScope";
import { contextsOf, slotsOf, within } from "./servedSlots";

/** What a server is made of. */
export interface HandlerParts {
  readonly authenticate: Authenticate;
  readonly allowList: () => AllowList;
  /** What of the allow-list a caller may reach. Default: all of it. */
  readonly narrow?: Narrow | undefined;
  /** Default: what can be reached, by ids. */
  readonly discover?: Discover | undefined;
  /** Reads what callers send; never `principalContext`. */
  readonly readContexts: ReadContexts;
  /** Provided with the principal of the caller. */
  readonly principalContext?: IAsyncContext | undefined;
  readonly eventManager: EventManager;
  /** What calls come in by, as `"exposure:http"`; also the source of the emissions that callers ask for. */
  readonly origin: string;
  readonly serializer: SerializerLike;
  /** Error helpers whose instances cross with id and data. */
  readonly errors: ReadonlyMap<string, IErrorHelper>;
  /** Largest body of text, in bytes. */
  readonly jsonBytes: number;
  readonly openFile: OpenFile;
  /** Default: any stream, by its iterator. */
  readonly openStream?: OpenStream | undefined;
  /** Most time that any call gets, in ms. Default: what its caller leaves it. */
  readonly maxDeadlineMs?: number | undefined;
  /** Receives requests whose deadline is no number of milliseconds, and is ignored. */
  readonly onMalformedDeadline?: ((request: WireRequest) => void) | undefined;
  /** What keeps calls with a key from running twice. Default: nothing does, and they are refused. */
  readonly idempotency?: (() => Idempotency | undefined) | undefined;
  /** Limits of streams of items. */
  readonly streams?: ResolvedStreamLimits | undefined;
  /** Limits of batches. */
  readonly batch?: ResolvedBatchLimits | undefined;
  /** Header that carries the token of a caller, in lower case. Default: the usual one. */
  readonly tokenHeader?: string | undefined;
  /** Limits of subscriptions. */
  readonly subscriptions?: ResolvedSubscriptionLimits | undefined;
  /** Receives what is not sent to callers. */
  readonly report: (error: unknown, request: WireRequest, phase: Phase, caller: Caller | undefined) => void;
  /** Receives requests that authentication refused, or failed for. */
  readonly onRefused?: ((request: WireRequest, error: WireFailure) => void) | undefined;
}

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
  const { authenticate, allowList, errors, jsonBytes, openFile, report, onRefused } = parts;
  const { maxDeadlineMs, onMalformedDeadline, narrow = (list) => list, discover: describe = discover } = parts;
  const serializer = wireSerializer(parts.serializer, { maxChars: jsonBytes * charsPerByte, omitErrorStacks: true });
  const openPieces = parts.openStream ?? openStream;
  const streams = new OpenStreams(parts.streams);
  const { batch: limits, tokenHeader, origin } = parts;
  const batches: BatchParts = { limits, tokenHeader, origin, serializer, respond };
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
      note(request, late);
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
    const progress: Progress = { phase: "authenticate", caller: undefined, slots: undefined, time };

    const onFailed = (error: unknown): void => {
      let response: WireResponse;
      try {
        response = fail(error, request, progress);
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
      return textReply({ ok: true, result: await describe(reachable) }, serializer);
    }

    function admitCaller(caller: Caller): MaybePromise<WireResponse> | undefined {
      progress.caller = caller;
      if (request.observed !== undefined) request.observed.caller = caller.name;
      if (target.kind === "batch") {
        progress.phase = "read";
        return answerBatch(request, caller, batches);
      }
      progress.phase = "admit";
      const reachable = narrow(allowList(), caller);
      if (target.kind === "discovery") return describeTo(reachable);
      if (target.kind === "subscribe") {
        progress.phase = "read";
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
          progress.items = streams.open(request);
        }
      }
      progress.phase = "read";
      if (served.kind === "event") return serveEvent(request, served, progress);
      if (body.kind !== "text") return serveBody(request, served, progress);
      const runTask = (text: string): Promise<WireResponse> | undefined => {
        const running = start(request, served, readInput(text, serializer), progress);
        if (progress.items !== undefined) return replyItems(running, request, undefined, progress);
        void running.then((result) => take(conclude, result), onFailed);
      };
      const text = body.read(jsonBytes);
      if (typeof text === "string") return runTask(text);
      // Not by events: what runs on has to find the contexts of whatever called the handler.
      void text.then((arrived) => take(runTask, arrived), onFailed);
      return undefined;
    }

    const conclude = (result: unknown): MaybePromise<WireResponse> => replyTo(result, request, undefined, progress);

    take(() => {
      // A call of a batch was, with the batch.
      const approved = request instanceof BatchLine ? request.caller : authenticate(request);
      if (!(approved instanceof Promise)) return admitCaller(approved);
      void approved.then((caller) => take(admitCaller, caller), onFailed);
      return undefined;
    }, undefined);
  }

  /** Serves a call whose input is a form or raw bytes. */
  async function serveBody(request: WireRequest, served: ServedTask, progress: Progress): Promise<WireResponse> {
    const { body } = request;
    if (body.kind === "items") return serveItemsBody(request, body, served, progress);
    let form: OpenedForm | undefined;
    if (body.kind === "form" || body.kind === "incomingForm") {
      form = await openForm(body, (manifest) => readManifest(manifest, serializer), openFile);
      // What came in one piece with the manifest was read with it.
      if (form.failure !== undefined) throw form.failure;
    }
    const running = start(request, served, form?.input, progress);
    if (progress.items !== undefined) return replyItems(running, request, form, progress);
    const result = await (form === undefined ? running : besideForm(running, form));
    return replyTo(result, request, form, progress);
  }

  /** Serves a call that sends items, which has a place of a stream for as long as it lasts. */
  async function serveItemsBody(
    request: WireRequest,
    body: ItemsBody,
    served: ServedTask,
    progress: Progress,
  ): Promise<WireResponse> {
    const leave = progress.items === undefined ? streams.take() : undefined;
    try {
      const { input, items } = await receiveItems(body, {
        id: request.target.id,
        serializer,
        limits: parts.streams,
      });
      const running = start(request, served, input, progress, items);
      if (progress.items !== undefined) return await replyItems(running, request, undefined, progress);
      return await replyTo(await running, request, undefined, progress);
    } finally {
      leave?.();
    }
  }

  /** Starts the task of a call. */
  // eslint-disable-next-line @typescript-eslint/max-params -- an object of them would be one more for each call
  function start(
    request: WireRequest,
    served: ServedTask,
    input: unknown,
    progress: Progress,
    items?: AsyncIterable<unknown>,
  ): Promise<unknown> {
    const { time, caller } = progress;
    // The time may be up by now, and the task must not start.
    time?.expired.throwIfAborted();
    progress.phase = "run";
    progress.slots = slotsOf(parts, request, served, caller);
    const key = readKey(request, served.cell.task);
    const invoke = (signal: AbortSignal | undefined): Promise<unknown> => {
      const scope = new ServedScope(request, parts.origin, time, caller, signal);
      return within(progress.slots, () =>
        served.cell.invoke(input, items === undefined ? { scope } : { scope, items }),
      );
    };
    if (key === undefined) return invoke(progress.items?.follow(request.signal, time?.expired));
    const call: OnceCall = {
      taskId: request.target.id,
      caller: caller?.name,
      key,
      input,
      signals: [request.signal, time?.expired],
      onReplayed: () => (progress.isReplay = true),
    };
    return assertAvailable(parts.idempotency?.(), call.taskId).run(call, served.cell.task, invoke);
  }

  /** Replies with items, once the first is there or the head may wait no longer. */
  function replyItems(
    running: Promise<unknown>,
    request: WireRequest,
    form: OpenedForm | undefined,
    { slots, caller, time, items }: Progress,
  ): Promise<WireResponse> {
    const { target } = request;
    time?.hold();
    const failureOf = (error: unknown, phase: Phase): WireFailure => {
      const failure = toWireFailure(isGivenUp(error, request) ? requestAborted() : error, phase, target, errors);
      if (failure.isOpaque) report(error, request, phase, caller);
      return failure;
    };
    return within(slots, () =>
      (items as ServedItems).reply(running as Promise<ItemSource>, {
        id: target.id,
        serializer,
        failureOf,
        onUnwritable: (error) => report(error, request, "encode", caller),
        onLeftRunning: (error) => report(error, request, "run", caller),
        isShutDown: () => request.edge?.isShutDown === true,
        expired: time?.expired,
        broken: form?.finished,
        onOpened: () => time?.release(),
        onEnd() {
          time?.release();
          form?.discard();
        },
      }),
    );
  }

  function replyTo(
    result: unknown,
    request: WireRequest,
    form: OpenedForm | undefined,
    progress: Progress,
  ): MaybePromise<WireResponse> {
    if (request.edge?.isReplyTaken(result)) return taken;
    progress.phase = "encode";
    // Getters of the result, and what custom types do with it, run for the call as well.
    if (progress.isReplay === true) return replayed(textReply({ ok: true, result }, serializer));
    if (typeof result !== "object" || result === null) return textReply({ ok: true, result }, serializer);
    const streamed = readStreamResult(result);
    if (streamed !== undefined) return replyStreaming(streamed, request, form, progress);
    return within(progress.slots, () => textReply({ ok: true, result }, serializer));
  }

  async function replyStreaming(
    streamed: StreamResult,
    request: WireRequest,
    form: OpenedForm | undefined,
    progress: Progress,
  ): Promise<WireResponse> {
    const { target, signal } = request;
    progress.phase = "run";
    if (request instanceof BatchLine) {
      discardStream(streamed.stream);
      throw notBatchable(target.id, "replies with bytes", true);
    }
    const stream = within(progress.slots, () => openPieces(streamed, `Task ${target.id}`));
    if (!startsLate(streamed)) await started(stream, signal, form);
    return streamReply(streamed, stream);
  }

  async function serveEvent(request: WireRequest, served: ServedEvent, progress: Progress): Promise<WireResponse> {
    const { time, caller } = progress;
    const text = await readText(request.body, jsonBytes);
    const { payload, returnPayload } = readEmission(readBody(text, serializer), served);
    time?.expired.throwIfAborted();
    progress.phase = "run";
    const slots = (progress.slots = contextsOf(parts, request, served, caller));
    const scope = new ServedScope(request, parts.origin, time, caller);
    // Who sent it finds it delivered: it was, by another path.
    const isHeard = isRepeated(parts.eventManager, request);
    const hear = async (): Promise<unknown> => {
      try {
        return await within(slots, () => emit(parts, served, payload, scope));
      } catch (error) {
        forgetEmission(parts.eventManager, request);
        throw error;
      }
    };
    const result = isHeard ? payload : await hear();
    progress.phase = "encode";
    return within(slots, () => textReply(returnPayload ? { ok: true, result } : { ok: true }, serializer));
  }

  function fail(
    error: unknown,
    request: WireRequest,
    { phase, slots, caller, items, time, isReplay }: Progress,
  ): WireResponse {
    const { target, edge } = request;
    items?.close();
    if (time?.isHeld) time.release();
    const failure = isGivenUp(error, request) ? requestAborted() : error;
    const reported = toWireFailure(failure, phase, target, errors);
    note(request, reported, error);
    if (reported.isOpaque) report(error, request, phase, caller);
    if (phase === "authenticate" && failure instanceof WireFailure && failure.code !== requestAborted.code) {
      onRefused?.(request, failure);
    }
    if (phase === "run" && edge?.isReplyTaken(undefined)) {
      edge.abandonReply();
      return taken;
    }
    const onDropped = (unwritable: unknown): void => report(unwritable, request, "encode", caller);
    const refusal = within(slots, () => errorReply(reported, serializer, onDropped));
    return isReplay === true ? replayed(refusal) : refusal;
  }
}

/** How far a call has come, who called, what its task finds around it, and the time it has. */
interface Progress {
  phase: Phase;
  /** Absent until it is known. */
  caller: Caller | undefined;
  slots: ContextSlots | undefined;
  /** The stream that replies, of a streamed task. */
  items?: ServedItems | undefined;
  readonly time: CallTime | undefined;
  /** Whether the outcome is that of an earlier call with the same key. */
  isReplay?: boolean;
}

/** A reply that was given before. */
const replayed = (response: WireResponse): WireResponse => ({
  ...response,
  headers: { ...response.headers, [replayedHeader]: "1" },
});

/** What is published of a call that failed. */
function note({ observed }: WireRequest, { code, id }: WireFailure, error?: unknown): void {
  if (observed === undefined) return;
  observed.code = code;
  observed.errorId = id;
  observed.error = error;
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

/** What was given the signal, or reads from the caller's connection, fails with the platform's errors when it leaves. */
function isGivenUp(error: unknown, request: WireRequest): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  // These first: reading the signal would make one.
  return (name === "AbortError" || code === "ECONNRESET") && request.signal?.aborted === true;
}
