import { ofBegunCall } from "../../../errors/begunCall";
import { bufferFull, internalError, requestAborted, serverClosing, type WireFailure } from "../../../errors/wireErrors";
import type { SerializerLike } from "../../../serializer/codec";
import { batchLimits, type ResolvedBatchLimits } from "../../protocol/batch";
import { defaultTokenHeader } from "../../protocol/headers";
import { inOneLine } from "../../protocol/items";
import type { WireRequest, WireResponse } from "../../protocol/wire";
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
  const reply = new BatchReply(calls.length, edge?.budget);
  const lines = calls.map((call) => new BatchLine(call, shared));
  for (const line of lines) answerLine(line, reply, shared, parts);
  return reply.response;
}

function answerLine(line: BatchLine, reply: BatchReply, { edge, caller }: SharedByBatch, parts: BatchParts): void {
  const { n } = line;
  const refuse = (failure: WireFailure): void => {
    if (line.observed !== undefined) line.observed.code = failure.code;
    reply.add(n, failure.status, inOneLine(errorText(failure, parts.serializer, () => {})));
  };
  const point = edge?.requests;
  if (point?.isOn !== true) return serveLine(() => {});
  const observed = (line.observed = requestTraceOf(line.target, line.headers, parts.origin));
  observed.caller = caller.name;
  observed.bytesIn = bytesOf(line.body.read() as string);
  return point.begin(observed, serveLine);

  function serveLine(onDone: () => void): void {
    const refusal = edge?.enter();
    if (refusal !== undefined) {
      refuse(refusal);
      onDone();
      return;
    }
    parts.respond(
      line,
      (response) => {
        end(response.status);
        send(response);
        onDone();
      },
      (error) => {
        end(internalError.status);
        edge?.onUnhandled(error, line.requestId);
        refuse(internalError());
        onDone();
      },
    );
  }

  function end(status: number): void {
    line.end();
    edge?.leave();
    if (line.observed !== undefined) line.observed.status = status;
  }

  function send({ status, body }: WireResponse): void {
    if (body.kind !== "text") return refuse(internalError());
    if (line.isShutDown && status === requestAborted.status) return refuse(ofBegunCall(serverClosing()));
    const text = inOneLine(body.text);
    if (!reply.fits(text)) return refuse(ofBegunCall(bufferFull()));
    if (line.observed !== undefined) line.observed.bytesOut = bytesOf(text);
    return reply.add(n, status, text);
  }
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength;
