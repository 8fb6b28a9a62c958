import type { IncomingMessage, ServerResponse } from "node:http";
import { discardRest } from "../server/discardRest";
import { hasClearFraming } from "./requestFraming";

/** RFC 9112 section 6.3: whether a request has a body. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  "transfer-encoding" in headers || (headers["content-length"] ?? "0") !== "0";

/**
 * Sends an answer of the relay, whose visitor may still be sending.
 *
 * Such a connection is closed afterwards: what is left of the body could be endless. It is read on for a while, because
 * closing at once would reset the connection before the visitor could read the answer.
 *
 * @param send writes the head, and returns the body
 */
export function endAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  send: () => string | Uint8Array | undefined,
): void {
  // Where the end of a body is in doubt, what follows cannot be told from it.
  if (!hasBody(req) || req.complete || !hasClearFraming(req)) return void res.end(send());
  // A body that has arrived whole is known to be so only in the next turn.
  setImmediate(() => {
    if (res.headersSent || res.destroyed) return;
    if (req.complete) return void res.end(send());
    res.shouldKeepAlive = false;
    // A visitor that waits to be told to send its body is not told.
    if (req.headers.expect !== undefined && !req.readableDidRead) return void res.end(send());
    const body = send();
    if (body === undefined || body.length === 0) res.flushHeaders();
    else res.write(body);
    // What sent it on has no destination any more, and would pause it.
    req.removeAllListeners("data");
    void discardRest(req).then(() => res.end());
  });
}
