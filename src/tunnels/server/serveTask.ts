import { notBatchable, requestAborted, type WireFailure } from "../../errors/wireErrors";
import type { ItemSource } from "../../lib/itemReader";
import type { MaybePromise } from "../../lib/typeLevel";
import type { ItemsBody, OpenedForm, WireResponse } from "../protocol/wire";
import type { ServedTask } from "./allowList";
import { BatchLine } from "./batch/batchLine";
import { besideForm } from "./besideForm";
import { replayed, started, streamReply, taken, textReply } from "./callReplies";
import { toWireFailure, type Phase } from "./errorReply";
import { isGivenUp } from "./failedCall";
import { openForm } from "./openForm";
import { readManifest } from "./readInput";
import { receiveItems } from "./receiveItems";
import { assertAvailable, readKey, watchReplay, type OnceCall } from "./runOnce";
import type { ServedCall } from "./servedCall";
import { ServedScope } from "./servedScope";
import { slotsOf, within } from "./servedSlots";
import type { ServedItems } from "./serveItems";
import { discardStream, readStreamResult, startsLate, type StreamResult } from "./streamResult";

/** Serves a call whose input is a form, raw bytes, or has items beside it. */
export async function serveBody(call: ServedCall, served: ServedTask): Promise<WireResponse> {
  const { server, request } = call;
  const { body } = request;
  if (body.kind === "items") return serveItemsBody(call, served, body);
  let form: OpenedForm | undefined;
  if (body.kind === "form" || body.kind === "incomingForm") {
    form = await openForm(body, (manifest) => readManifest(manifest, server.serializer), server.openFile);
    // What came in one piece with the manifest was read with it.
    if (form.failure !== undefined) throw form.failure;
  }
  const running = startTask(call, served, form?.input);
  if (call.items !== undefined) return replyItems(call, running, form);
  const result = await (form === undefined ? running : besideForm(running, form));
  return replyTo(call, result, form);
}

/** Serves a call that sends items, which has a place of a stream for as long as it lasts. */
async function serveItemsBody(call: ServedCall, served: ServedTask, body: ItemsBody): Promise<WireResponse> {
  const { openStreams, serializer, streams: limits } = call.server;
  const leave = call.items === undefined ? openStreams.take() : undefined;
  try {
    const { input, items } = await receiveItems(body, { id: call.request.target.id, serializer, limits });
    const running = startTask(call, served, input, items);
    if (call.items !== undefined) return await replyItems(call, running);
    return await replyTo(call, await running);
  } finally {
    leave?.();
  }
}

/** Starts the task of a call. */
export function startTask(
  call: ServedCall,
  served: ServedTask,
  input: unknown,
  items?: AsyncIterable<unknown>,
): Promise<unknown> {
  const { server, request, time, caller } = call;
  // The time may be up by now, and the task must not start.
  time?.expired.throwIfAborted();
  call.phase = "run";
  call.slots = slotsOf(server, request, served, caller);
  const key = readKey(request, served.cell.task);
  const onReplayed = (): void => void (call.isReplay = true);
  const journal = watchReplay(served.cell.task, onReplayed);
  const invoke = (signal: AbortSignal | undefined): Promise<unknown> => {
    const scope = new ServedScope(request, server.origin, time, caller, signal);
    return within(call.slots, () => served.cell.invoke(input, { scope, journal, items }));
  };
  if (key === undefined) return invoke(call.items?.follow(request.signal, time?.expired));
  const once: OnceCall = {
    taskId: request.target.id,
    caller: caller?.name,
    key,
    input,
    signals: [request.signal, time?.expired],
    onReplayed,
  };
  return assertAvailable(server.idempotency?.(), once.taskId).run(once, served.cell.task, invoke);
}

/** Replies with items, once the first is there or the head may wait no longer. */
export function replyItems(call: ServedCall, running: Promise<unknown>, form?: OpenedForm): Promise<WireResponse> {
  const { server, request, slots, caller, time, items } = call;
  const { serializer, errors, report } = server;
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

/** Replies with what a task returned. */
export function replyTo(call: ServedCall, result: unknown, form?: OpenedForm): MaybePromise<WireResponse> {
  const { request, server, slots } = call;
  if (request.edge?.isReplyTaken(result)) return taken;
  call.phase = "encode";
  // Getters of the result, and what custom types do with it, run for the call as well.
  if (call.isReplay) return replayed(textReply({ ok: true, result }, server.serializer));
  if (typeof result !== "object" || result === null) return textReply({ ok: true, result }, server.serializer);
  const streamed = readStreamResult(result);
  if (streamed !== undefined) return replyStreaming(call, streamed, form);
  return within(slots, () => textReply({ ok: true, result }, server.serializer));
}

async function replyStreaming(call: ServedCall, streamed: StreamResult, form?: OpenedForm): Promise<WireResponse> {
  const { server, request, slots } = call;
  call.phase = "run";
  if (request instanceof BatchLine) {
    discardStream(streamed.stream);
    throw notBatchable(request.target.id, "replies with bytes", true);
  }
  const stream = within(slots, () => server.openStream(streamed, `Task ${request.target.id}`));
  if (!startsLate(streamed)) await started(stream, request.signal, form);
  return streamReply(streamed, stream);
}
