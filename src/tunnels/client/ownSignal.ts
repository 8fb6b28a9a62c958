import type { WireRequest, WireResponse } from "../protocol/wire";

/**
 * Carries a call under a signal of its own, which follows the caller's and may be aborted for other reasons, too.
 *
 * @param send receives the request with that signal, and what aborts it
 */
export async function underOwnSignal(
  request: WireRequest,
  send: (request: WireRequest, abort: (reason: unknown) => void) => Promise<WireResponse>,
): Promise<WireResponse> {
  const { signal } = request;
  const own = new AbortController();
  const follow = (): void => own.abort(signal?.reason);
  const stop = (): void => signal?.removeEventListener("abort", follow);
  // An aborted signal tells nobody any more.
  if (signal?.aborted === true) follow();
  else signal?.addEventListener("abort", follow, { once: true });
  let reply: WireResponse["body"] | undefined;
  try {
    const response = await send({ ...request, signal: own.signal }, (reason) => own.abort(reason));
    reply = response.body;
    return response;
  } finally {
    if (reply?.kind === "stream") onceOver(reply.stream, stop);
    else stop();
  }
}

/** Streams of carriers are Node's, which say when they are over; the caller's signal reaches them until then. */
function onceOver(stream: object, callback: () => void): void {
  (stream as { once?: (event: "close", listener: () => void) => void }).once?.("close", callback);
}
