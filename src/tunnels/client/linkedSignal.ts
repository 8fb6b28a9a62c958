import { onAbort } from "../../lib/onAbort";
import type { ReplyBody, Transport, WireRequest, WireResponse } from "../protocol/wire";

/**
 * Sends a call under a signal of its own, which follows the caller's and may be aborted for other reasons, too.
 *
 * @param send receives the request with that signal, and what aborts it
 */
export async function withLinkedSignal(
  request: WireRequest,
  send: (request: WireRequest, abort: (reason: unknown) => void) => ReturnType<Transport>,
): Promise<WireResponse> {
  const { signal } = request;
  const linked = new AbortController();
  const unlink = onAbort(signal, () => linked.abort(signal?.reason));
  let reply: ReplyBody | undefined;
  try {
    // The first one that replaces the caller's remembers it.
    const response = await send({ ownSignal: signal, ...request, signal: linked.signal }, (reason) =>
      linked.abort(reason),
    );
    reply = response.body;
    return response;
  } finally {
    // The signal reaches a streamed reply until it is over.
    onceOver(reply, unlink);
  }
}

/** Calls back when a reply is over: at once, unless it is a stream. */
export function onceOver(reply: ReplyBody | undefined, callback: () => void): void {
  if (reply?.kind !== "stream") callback();
  else if (reply.ended !== undefined) void reply.ended.then(callback);
  else (reply.stream as { once?: (event: "close", listener: () => void) => void }).once?.("close", callback);
}
