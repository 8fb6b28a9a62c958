import type { Transport, WireRequest, WireResponse } from "../protocol/wire";

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
  const follow = (): void => linked.abort(signal?.reason);
  const unlink = (): void => signal?.removeEventListener("abort", follow);
  // An aborted signal emits no further event.
  if (signal?.aborted === true) follow();
  else signal?.addEventListener("abort", follow, { once: true });
  let reply: WireResponse["body"] | undefined;
  try {
    const response = await send({ ...request, signal: linked.signal }, (reason) => linked.abort(reason));
    reply = response.body;
    return response;
  } finally {
    if (reply?.kind === "stream") onceClosed(reply.stream, unlink);
    else unlink();
  }
}

/** Streams of carriers are Node's, which emit that they are closed; the caller's signal reaches them until then. */
function onceClosed(stream: object, callback: () => void): void {
  (stream as { once?: (event: "close", listener: () => void) => void }).once?.("close", callback);
}
