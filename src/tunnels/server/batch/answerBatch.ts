import { ofBegunCall } from "../../../errors/begunCall";
import { bufferFull, internalError, requestAborted, serverClosing, type WireFailure } from "../../../errors/wireErrors";
import type { InFlight } from "../../../lib/inFlight";
import { onNextTurn } from "../../../lib/nextTurn";
import type { SerializerLike } from "../../../serializer/codec";
import { batchLimits, type ResolvedBatchLimits } from "../../protocol/batch";
import { defaultTokenHeader } from "../../protocol/headers";
import { inOneLine } from "../../protocol/items";
import type { BatchEdge, WireRequest, WireResponse } from "../../protocol/wire";
import type { Caller } from "../authenticate";
import { errorText } from "../errorReply";
import { readText } from "../serveEmission";
import { requestTraceOf } from "../traceRequests";
import { BatchLine, type SharedByBatch } from "./batchLine";
import { BatchReply } from "./batchReply";
import { readBatch } from "./readBatch";

/** What answering a batch takes of the server. */
export interface BatchParts {
  readonly limits?: ResolvedBatchLimits | undefined;
  /** Header that carries the token, in lower case: no call of a batch may have it. */
  readonly tokenHeader: string | undefined;
  /** What calls come in by, for what is published of them. */
  readonly origin: string;
  readonly serializer: SerializerLike;
  /** Counts the batches that are not answered, or were just now. */
  readonly inFlight: InFlight;
  /** Serves a call whose caller is known. */
  readonly respond: (
    line: BatchLine,
    reply: (response: WireResponse) => void,
    onBroken: (error: unknown) => void,
  ) => void;
}

/**
 * Answers the calls of a batch. Their caller was authenticated once, for all of them; whatever else a call passes, each passes
 * by itself.
 *
 * @throws {WireFailure} (as a rejection) the batch makes no sense or is too large; nothing of it has run then
 */
export async function answerBatch(request: WireRequest, caller: Caller, parts: BatchParts): Promise<WireResponse> {
  const { limits = batchLimits, tokenHeader = defaultTokenHeader } = parts;
  const text = await readText(request.body, limits.bytes);
  const calls = readBatch(text, limits, (name) => name === tokenHeader || name === defaultTokenHeader);
  const edge = request.edge?.batch;
  const shared: SharedByBatch = { request, caller, edge };
  const { inFlight } = parts;
  const reply = new BatchReply(calls.length, edge?.budget, () => inTwoTurns(() => inFlight.leave()));
  const answering: Answering = { reply, edge, caller, parts };
  // Before any of them runs.
  const lines = calls.map((call) => new BatchLine(call, shared));
  const isAlone = inFlight.count === 0;
  inFlight.enter();
  const answer = (some: readonly BatchLine[]): void => {
    // Its caller may have left before the second half.
    for (const line of some) {
      if (request.signal?.aborted === true) refuse(line, requestAborted(), answering);
      else answerLine(line, answering);
    }
  };
  if (edge !== undefined && isAlone && lines.length >= halvedFrom) {
    const rest = lines.splice(lines.length >> 1);
    inTwoTurns(() => answer(rest));
  }
  answer(lines);
  return reply.response;
}

/**
 * Smallest batch whose second half starts after the replies to its first half have left, in calls.
 *
 * A server that answers one batch at a time has nothing to do while its client reads the replies and makes the next calls, and
 * the client has nothing to do while the server runs them. In halves, both have. With fewer calls a further request costs more
 * than that, and so it does where other batches wait.
 */
const halvedFrom = 48;

/** Replies of a turn leave at its end; what has arrived by then is read in the next one. */
const inTwoTurns = (callback: () => void): void => onNextTurn(() => onNextTurn(callback));

/** What answering the calls of one batch takes: functions of a call would be made for each of them. */
interface Answering {
  readonly reply: BatchReply;
  readonly edge: BatchEdge | undefined;
  readonly caller: Caller;
  readonly parts: BatchParts;
}

function answerLine(line: BatchLine, answering: Answering): void {
  const { edge, caller, parts } = answering;
  const point = edge?.requests;
  if (point?.isOn !== true) return serveLine(line, answering);
  const observed = (line.observed = requestTraceOf(line.target, line.headers, parts.origin));
  observed.caller = caller.name;
  observed.bytesIn = bytesOf(line.body.read() as string);
  return point.begin(observed, (onDone) => serveLine(line, answering, onDone));
}

function serveLine(line: BatchLine, answering: Answering, onDone?: () => void): void {
  const { edge, parts } = answering;
  const refusal = edge?.enter();
  if (refusal !== undefined) {
    refuse(line, refusal, answering);
    return onDone?.();
  }
  return parts.respond(
    line,
    (response) => {
      end(line, response.status, edge);
      send(line, response, answering);
      onDone?.();
    },
    (error) => {
      end(line, internalError.status, edge);
      edge?.onUnhandled(error, line.requestId);
      refuse(line, internalError(), answering);
      onDone?.();
    },
  );
}

function end(line: BatchLine, status: number, edge: BatchEdge | undefined): void {
  line.end();
  edge?.leave();
  if (line.observed !== undefined) line.observed.status = status;
}

function send(line: BatchLine, { status, body }: WireResponse, answering: Answering): void {
  const { reply } = answering;
  if (body.kind !== "text") return refuse(line, internalError(), answering);
  if (line.isShutDown && status === requestAborted.status) {
    return refuse(line, ofBegunCall(serverClosing()), answering);
  }
  const text = inOneLine(body.text);
  if (!reply.fits(text)) return refuse(line, ofBegunCall(bufferFull()), answering);
  if (line.observed !== undefined) line.observed.bytesOut = bytesOf(text);
  return reply.add(line.n, status, text);
}

function refuse(line: BatchLine, failure: WireFailure, { reply, parts }: Answering): void {
  if (line.observed !== undefined) line.observed.code = failure.code;
  reply.add(line.n, failure.status, inOneLine(errorText(failure, parts.serializer, () => {})));
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength;
