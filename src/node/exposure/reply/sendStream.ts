import { internalError } from "../../../errors/wireErrors";
import { isBodiless, type ByteStream } from "../../../tunnels/protocol/wire";
import { discardStream } from "../../../tunnels/server/streamResult";
import type { ContentCoding } from "../../contentCodings";
import { isCompressed } from "../../server/compression";
import { discardRest } from "../../server/discardRest";
import { headOf } from "./replyHead";
import { sendPieces } from "./sendPieces";
import { codingFor, type BodyHead, type WritableReply } from "./writableReply";

/** Replies with a stream. @returns a promise that resolves when the response has closed */
export async function sendStream(reply: WritableReply, stream: ByteStream, head: BodyHead): Promise<void> {
  const { req, res } = reply;
  const { status, contentType, headers, flushHeaders } = head;
  if (res.headersSent || res.destroyed) {
    discardStream(stream);
    return;
  }
  if (isBodiless(status)) return sendHeadAlone(reply, stream, head);
  const isEncoded = headers?.["content-encoding"] || res.hasHeader("content-encoding") || isCompressed(contentType);
  const coding = isEncoded ? undefined : codingFor(reply);
  // The length of compressed bytes is not known before they are all made.
  const own = coding && { ...headers, "content-length": undefined, "content-encoding": coding.name };
  if (!writeHead(reply, status, headOf(reply, contentType, undefined, own ?? headers))) {
    discardStream(stream);
    return reply.refuse(internalError());
  }
  if (flushHeaders) res.flushHeaders();
  await sendRest(reply, stream, coding);
  if (!req.complete) void discardRest(req);
}

/** Goes on with a stream where the head of a reply, or a part of its body, was written. */
export function sendRest(reply: WritableReply, stream: ByteStream, coding?: ContentCoding): Promise<void> {
  reply.watchReader();
  return sendPieces(stream, reply.res, {
    coding,
    budget: reply.policy.budget,
    onFailed: (error) => reply.reportFailure(error),
  });
}

/** Sends a status that has no body: waiting for the stream might take for ever. */
function sendHeadAlone(
  reply: WritableReply,
  stream: ByteStream,
  { status, contentType, headers }: BodyHead,
): Promise<void> | undefined {
  discardStream(stream);
  // RFC 9110 §15.3.6: of these, 205 alone is framed like a reply with a body.
  const own = status === 304 ? headers : { ...headers, "content-length": status === 205 ? "0" : undefined };
  if (!writeHead(reply, status, headOf(reply, contentType, undefined, own))) return reply.refuse(internalError());
  reply.res.end();
  if (!reply.req.complete) void discardRest(reply.req);
  return undefined;
}

/** @returns false when a status or header of the task's cannot be sent */
function writeHead({ res, policy, requestId }: WritableReply, status: number, fields: string[]): boolean {
  try {
    // After an interim reply its caller would go on waiting.
    if (status < 200) throw new RangeError(`A reply cannot have the status ${status}.`);
    res.writeHead(status, fields);
    return true;
  } catch (error) {
    policy.onBroken(error, requestId);
    // The words of the status that could not be sent.
    res.statusMessage = "";
    return false;
  }
}
