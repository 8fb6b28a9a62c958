import type { Socket } from "node:net";
import { ofBegunCall } from "../../../errors/begunCall";
import { normalizeError } from "../../../errors/normaliseThrown";
import { bufferFull, requestTimeout } from "../../../errors/wireErrors";
import { batchContentType } from "../../../tunnels/protocol/batch";
import { jsonContentType } from "../../../tunnels/protocol/headers";
import type { WireResponse } from "../../../tunnels/protocol/wire";
import type { ContentCoding } from "../../contentCodings";
import { discardRest } from "../../server/discardRest";
import { headOf } from "./replyHead";
import { codingFor, whenClosed, type BodyHead, type WritableReply } from "./writableReply";

/** Texts that are sent even where the budget is spent, refusals among them, in bytes. */
const uncountedBytes = 4096;

/**
 * Replies with a text. Headers go out in one flat `writeHead` with the whole body, which is the cheapest way Node has.
 *
 * @returns a promise, where the reply goes on after this
 */
export function sendText(
  reply: WritableReply,
  text: string,
  { status, contentType = jsonContentType, headers }: Pick<WireResponse, "status" | "contentType" | "headers">,
): Promise<void> | undefined {
  const { req, res, policy } = reply;
  if (res.headersSent || res.destroyed) return undefined;
  const bytes = Buffer.byteLength(text);
  // The calls of a batch have run, and there was room for the reply to each.
  const mayRefuse = bytes > uncountedBytes && contentType !== batchContentType;
  if (mayRefuse && !policy.budget.fits(bytes)) return refuseBytes(reply, bytes);
  const coding = bytes >= (policy.compressFrom ?? Infinity) ? codingFor(reply) : undefined;
  if (coding !== undefined) return sendCompressed(reply, text, { status, contentType, headers }, coding);
  const fields = headOf(reply, contentType, String(bytes), headers);
  if (!req.complete) return writeEarly(reply, status, fields, text);
  // As many bytes as characters: all of it is ASCII, which Node writes faster when the encoding says so.
  res.writeHead(status, fields).end(text, bytes === text.length ? "latin1" : "utf8");
  return leave(reply, text);
}

async function sendCompressed(
  reply: WritableReply,
  text: string,
  { status, contentType, headers }: BodyHead,
  coding: ContentCoding,
): Promise<void> {
  const { req, res } = reply;
  const payload = await coding.encode(text);
  if (res.headersSent || res.destroyed) return;
  const own = { ...headers, "content-encoding": coding.name };
  const fields = headOf(reply, contentType, String(payload.byteLength), own);
  if (!req.complete) return writeEarly(reply, status, fields, payload);
  res.writeHead(status, fields).end(payload);
  return leave(reply, payload);
}

/** Waits for what was written, where its reader has yet to take it. */
function leave(reply: WritableReply, payload: string | Buffer): Promise<void> | undefined {
  const { req, res } = reply;
  // A body that was refused halfway would block the next request of the connection.
  if (!req.readableEnded) req.resume();
  // Nearly every reply has left by now. What is left over is memory, and in flight until its reader has taken it.
  if (res.writableFinished) return undefined;
  hold(reply, payload);
  return whenClosed(res);
}

/** Writes a reply for which the request's body was not needed, and has perhaps not arrived. */
async function writeEarly(
  reply: WritableReply,
  status: number,
  fields: string[],
  payload: string | Buffer,
): Promise<void> {
  const { req, res, policy } = reply;
  // What came with the head is parsed by then; usually that is all of it, and the connection stays usable.
  await new Promise(setImmediate);
  if (res.headersSent || res.destroyed) return;
  if (req.complete) {
    res.writeHead(status, fields).end(payload);
    return leave(reply, payload);
  }
  if (!policy.endsConnection(req, res)) fields.push("connection", "close");
  res.writeHead(status, fields).write(payload);
  if (res.writableLength > 0 || (req.socket as Socket | null)?.writableLength) hold(reply, payload);
  if (status === requestTimeout.status) res.end();
  // Closing on a caller that still sends would reset the connection before it could read the reply. That takes as
  // long as its sender likes, so nothing waits for it.
  else void discardRest(req).then(() => endSafely(reply));
}

/** There is no room for a reply beside those that wait for their readers. */
function refuseBytes(reply: WritableReply, bytes: number): Promise<void> | undefined {
  const { budget, onBroken } = reply.policy;
  const reason = `The reply of ${bytes} bytes does not fit into http.limits.bufferedBytes (${budget.limitBytes}) now.`;
  onBroken(new Error(reason), reply.requestId);
  return reply.refuse(ofBegunCall(bufferFull()));
}

/** Counts what waits for the reader until it has gone. */
function hold(reply: WritableReply, payload: string | Buffer): void {
  const { budget } = reply.policy;
  const bytes = Buffer.byteLength(payload);
  budget.add(bytes);
  reply.res.once("close", () => budget.release(bytes));
  reply.watchReader();
}

/** Nothing waits for it, so that what a response made by hand throws would end the process. */
function endSafely(reply: WritableReply): void {
  try {
    reply.res.end();
  } catch (error) {
    reply.cut(normalizeError(error));
  }
}
