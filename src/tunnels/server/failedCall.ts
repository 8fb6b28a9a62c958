import { requestAborted, WireFailure } from "../../errors/wireErrors";
import type { WireRequest, WireResponse } from "../protocol/wire";
import { replayed, taken } from "./callReplies";
import { errorReply, toWireFailure } from "./errorReply";
import type { ServedCall } from "./servedCall";
import { within } from "./servedSlots";

/** The reply to a call that failed; reports and publishes what it failed with. */
export function failedReply(
  { server, request, phase, slots, caller, items, time, isReplay }: ServedCall,
  error: unknown,
): WireResponse {
  const { target, edge } = request;
  const { errors, serializer, report, onRefused } = server;
  items?.close();
  if (time?.isHeld) time.release();
  const failure = isGivenUp(error, request) ? requestAborted() : error;
  const reported = toWireFailure(failure, phase, target, errors);
  noteFailure(request, reported, error);
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
  return isReplay ? replayed(refusal) : refusal;
}

/** What is published of a call that failed. */
export function noteFailure({ observed }: WireRequest, { code, id }: WireFailure, error?: unknown): void {
  if (observed === undefined) return;
  observed.code = code;
  observed.errorId = id;
  observed.error = error;
}

/** What was given the signal, or reads from the caller's connection, fails with the platform's errors when it leaves. */
export function isGivenUp(error: unknown, request: WireRequest): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  // These first: reading the signal would make one.
  return (name === "AbortError" || code === "ECONNRESET") && request.signal?.aborted === true;
}
